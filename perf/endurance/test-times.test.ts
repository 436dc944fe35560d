// The page of what tests took: rows as the runner leaves them, the aim, what was not run.

import assert from "node:assert/strict";
import { test } from "node:test";
import { pageOfTimes } from "./test-times.ts";

const unit = "59.50\t12\tall of them, by the clock, 0 failed\n31.00\t4\ta.test.ts\n9.25\t8\tb.test.ts\n";
const system = `721.00\t30\tall of them, by the clock, 1 failed\n${Array.from({ length: 20 }, (_, at) => `${20 - at}.00\t1\t${at}.test.ts\n`).join("")}`;

test("each kind: count, clock, aim met or missed, the slowest files; a kind without rows is a problem", () => {
  const { lines, problems } = pageOfTimes((kind) => ({ unit, system, long: null })[kind]);
  assert.deepEqual(problems, ["long: not run (npm run test:long)"]);
  assert.deepEqual(lines.slice(0, 3), [
    "unit: 12 tests of 2 files in 60 s by the clock (aim 60 s: met), 40 s inside tests; 0 failed",
    "unit: 31.0 s in 4 tests of a.test.ts",
    "unit: 9.3 s in 8 tests of b.test.ts",
  ]);
  assert.equal(
    lines[3],
    "system: 30 tests of 20 files in 721 s by the clock (aim 720 s: missed), 210 s inside tests; 1 failed",
  );
  assert.equal(lines.length, 3 + 1 + 15);
});
