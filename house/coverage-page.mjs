// A reporter of node:test: coverage by room, as a Markdown page: lines, branches, functions, and what nothing enters.

import { relative } from "node:path";

/** The room of a file: two folders below a package's src, or its folder. */
function roomOf(path) {
  const inside = /^((?:packages|apps)\/[^/]+)\/src\/([^/]+)\//.exec(path);
  return inside === null ? path.split("/").slice(0, 2).join("/") : `${inside[1]}: ${inside[2]}`;
}

const percent = (covered, total) => (total === 0 ? "-" : `${((100 * covered) / total).toFixed(1)} %`);

export default async function* coverage(events) {
  for await (const { type, data } of events) {
    if (type !== "test:coverage") continue;
    const rooms = new Map();
    const files = data.summary.files
      .map((file) => ({ ...file, name: relative(data.summary.workingDirectory, file.path) }))
      .filter(({ name }) => /^(packages|apps|cases)\//.test(name) && !name.endsWith(".test.ts"));
    for (const file of files) {
      const room = rooms.get(roomOf(file.name)) ?? {
        lines: [0, 0],
        branches: [0, 0],
        functions: [0, 0],
        unentered: [],
      };
      room.lines[0] += file.coveredLineCount;
      room.lines[1] += file.totalLineCount;
      room.branches[0] += file.coveredBranchCount;
      room.branches[1] += file.totalBranchCount;
      room.functions[0] += file.coveredFunctionCount;
      room.functions[1] += file.totalFunctionCount;
      for (const { line, count } of file.branches)
        if (count === 0) room.unentered.push(`${file.name}:${line}`);
      rooms.set(roomOf(file.name), room);
    }
    yield "# Coverage by room\n\nMade by `npm run coverage`: the unit tests that were chosen, by Node's own reporter. Only files that they load are counted.\n\n";
    yield "| Room | Lines | Branches | Functions |\n| --- | --- | --- | --- |\n";
    const sorted = [...rooms].sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [room, { lines, branches, functions }] of sorted)
      yield `| ${room} | ${percent(...lines)} | ${percent(...branches)} | ${percent(...functions)} |\n`;
    for (const [room, { unentered }] of sorted) {
      if (unentered.length === 0) continue;
      yield `\n## Branches of ${room} that nothing enters\n\n`;
      for (const place of unentered) yield `- ${place}\n`;
    }
  }
}
