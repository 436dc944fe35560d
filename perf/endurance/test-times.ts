// What the last whole runs of the tests took, from the rows that they leave in build: sums and the slowest files.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** What the issue of the suite's time asks for, in seconds on two cores. */
const aims = { unit: 60, long: 60, system: 720 } as const;
const shown = 15;

interface Row {
  readonly seconds: number;
  readonly tests: number;
  readonly what: string;
}

/** Rows of build/KIND-times.txt: the whole first, then each file, slowest first. */
export function readTimes(text: string): Row[] {
  return text
    .trim()
    .split("\n")
    .map((line) => {
      const [seconds, tests, what] = line.split("\t");
      return { seconds: Number(seconds), tests: Number(tests), what };
    });
}

/** Lines of a record, and what was not measured. A run of a part is told by its count of files and tests. */
export function pageOfTimes(read: (kind: keyof typeof aims) => string | null): {
  readonly lines: string[];
  readonly problems: string[];
} {
  const lines: string[] = [];
  const problems: string[] = [];
  for (const kind of Object.keys(aims) as (keyof typeof aims)[]) {
    const text = read(kind);
    if (text === null) {
      problems.push(`${kind}: not run (npm run test:${kind})`);
      continue;
    }
    const [whole, ...files] = readTimes(text);
    const inTests = files.reduce((sum, { seconds }) => sum + seconds, 0);
    const verdict = whole.seconds <= aims[kind] ? "met" : "missed";
    lines.push(
      `${kind}: ${whole.tests} tests of ${files.length} files in ${Math.round(whole.seconds)} s by the clock (aim ${aims[kind]} s: ${verdict}), ${Math.round(inTests)} s inside tests; ${whole.what.split(", ").at(-1)}`,
      ...files
        .slice(0, shown)
        .map(({ seconds, tests, what }) => `${kind}: ${seconds.toFixed(1)} s in ${tests} tests of ${what}`),
    );
  }
  return { lines, problems };
}

export const timesOf = (root: string) =>
  pageOfTimes((kind) => {
    const path = join(root, `build/${kind}-times.txt`);
    return existsSync(path) ? readFileSync(path, "utf8") : null;
  });
