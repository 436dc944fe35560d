// The API report: every declaration behind a door, without its words, so that a review sees each change.

import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import type { PackedPackage } from "./pack-graph.ts";

export function apiReportPath({ name }: PackedPackage): string {
  return `docs/api/${name.split("/")[1]}.txt`;
}

/** From the declarations as they are staged. */
export function apiReport(unit: PackedPackage, stage: string): string {
  const doors = [...unit.doors].sort(([left], [right]) => (left < right ? -1 : 1));
  const parts = doors.map(([path, file]) => {
    const declared = posix.relative(unit.sources, file).replace(/\.ts$/, ".d.ts");
    return `== ${unit.name}/${path}\n${bareDeclarations(readFileSync(join(stage, "dist", declared), "utf8"))}`;
  });
  return [
    `The doors of ${unit.name}, made by npm run pack. A change here is a change for people outside: CHANGELOG.md.\n`,
    ...parts,
  ].join("\n");
}

/** Without comments, imports, private parts and the compiler's own marks. */
function bareDeclarations(text: string): string {
  return `${text
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .split("\n")
    .map((line) => line.trimEnd())
    .filter(
      (line) =>
        line.trim() !== "" &&
        !/^\s*\/\//.test(line) &&
        !/^\s*(?:static )?#private;$|^\s*private /.test(line) &&
        !/^import\b|^export \{\};$/.test(line),
    )
    .join("\n")}\n`;
}
