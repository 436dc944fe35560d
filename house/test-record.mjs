// A reporter of node:test: TAP, and at its end a comment for each test file: seconds, tests, path.

import { relative } from "node:path";
import { tap } from "node:test/reporters";

/** `# file 1.25 s, 7 tests: path`; tests inside tests are part of their parent's time. */
export default async function* record(events) {
  const files = new Map();
  yield* tap(counted(events, files));
  for (const [file, { ms, tests }] of files)
    yield `# file ${(ms / 1000).toFixed(2)} s, ${tests} tests: ${file}\n`;
}

async function* counted(events, files) {
  for await (const event of events) {
    const { type, data } = event;
    const isEnd = type === "test:pass" || type === "test:fail";
    if (isEnd && data.nesting === 0 && data.file !== undefined) {
      const file = relative(process.cwd(), data.file);
      // With a process for each file, the file itself is a test whose name is its path.
      const known = files.get(file) ?? { ms: 0, tests: 0 };
      files.set(file, { ms: known.ms + data.details.duration_ms, tests: known.tests + 1 });
    }
    yield event;
  }
}
