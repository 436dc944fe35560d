// A reporter of node:test: one line for each test file: how long its tests took, slowest first.

import { relative } from "node:path";

/** Tests inside tests are part of their parent's time. */
export default async function* times(events) {
  const files = new Map();
  for await (const { type, data } of events) {
    if ((type !== "test:pass" && type !== "test:fail") || data.nesting !== 0 || data.file === undefined)
      continue;
    const file = relative(process.cwd(), data.file);
    // With a process for each file, the file itself is a test whose name is its path.
    const known = files.get(file) ?? { ms: 0, tests: 0 };
    files.set(file, { ms: known.ms + data.details.duration_ms, tests: known.tests + 1 });
  }
  const slowest = [...files].sort(([, a], [, b]) => b.ms - a.ms);
  for (const [file, { ms, tests }] of slowest) yield `${(ms / 1000).toFixed(2)}\t${tests}\t${file}\n`;
}
