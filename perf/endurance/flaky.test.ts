// The hunt for tests that differ: a TAP record as Node writes it, what a book says, and that it goes on where it was.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type FlakyRun, huntFlaky, judgeFlaky, readTap } from "./flaky.ts";

/** Two calls of `node --test`, one after the other: a suite with one failed test in it, and a failed test. */
const tap = `TAP version 13
# Subtest: a suite
    # Subtest: sound
    ok 1 - sound
      ---
      duration_ms: 1.5
      type: 'test'
      ...
    # Subtest: it breaks
    not ok 2 - it breaks
      ---
      duration_ms: 2.1
      failureType: 'testCodeFailure'
      error: 'not ok 7 - no row of its own'
      ...
    1..2
not ok 1 - a suite
  ---
  duration_ms: 4.5
  type: 'suite'
  failureType: 'subtestsFailed'
  ...
1..1
# tests 2
# suites 1
# pass 1
# fail 1
TAP version 13
# Subtest: alone
not ok 1 - alone
  ---
  failureType: 'testTimeoutFailure'
  ...
1..1
# tests 3
`;

test("a record's tests are added up, and what failed by itself is named, not the suite round it", () => {
  assert.deepEqual(readTap(tap), { tests: 5, failed: ["it breaks", "alone"] });
  assert.deepEqual(readTap(""), { tests: 0, failed: [] });
});

const unit = (seed: number, ...failed: string[]): FlakyRun => ({
  kind: "unit",
  seed,
  tests: 9,
  failed,
  seconds: 4,
});

test("what fails in some runs differs, with its seeds; what fails in all does not; runs with fewer tests are told", () => {
  const good = judgeFlaky({ commit: "x", runs: [unit(1), unit(2)] });
  assert.deepEqual(good, {
    lines: ["unit: 2 runs of 9 tests, seeds 1 to 2, 4 s each", "system: no run"],
    problems: [],
  });
  const runs = [unit(1, "always"), unit(2, "always", "at times"), { ...unit(3, "always"), tests: 8 }];
  assert.deepEqual(judgeFlaky({ commit: "x", runs }).problems, [
    "unit: not every run had all tests: 8, 9",
    "unit: fails in every run: always",
    "unit: differs: at times: failed in 1 of 3, seeds 2",
  ]);
});

test("a book of the same commit is gone on with, one of another begins anew", () => {
  const folder = mkdtempSync(join(tmpdir(), "drydock-flaky-"));
  try {
    const book = join(folder, "flaky.json");
    writeFileSync(book, JSON.stringify({ commit: "new", runs: [unit(1), unit(2)] }));
    const told: number[] = [];
    const hunt = { root: folder, book, units: 2, systems: 0, onRun: ({ seed }: FlakyRun) => told.push(seed) };
    assert.equal(huntFlaky({ ...hunt, commit: () => "new" }).runs.length, 2);
    assert.deepEqual(told, [], "both are known");
    // Runs that the book lacks: of a folder without a project, whose end leaves no record.
    assert.throws(() => huntFlaky({ ...hunt, commit: () => "newer", units: 1 }), /unit-tests\.tap/);
    assert.equal(JSON.parse(readFileSync(book, "utf8")).commit, "new", "nothing was written for it");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a tree that changes under a run is told, and the run is not recorded", () => {
  const folder = mkdtempSync(join(tmpdir(), "drydock-flaky-"));
  try {
    mkdirSync(join(folder, "build"));
    mkdirSync(join(folder, "house"));
    writeFileSync(join(folder, "house/run.mjs"), "");
    writeFileSync(join(folder, "build/unit-tests.tap"), "# tests 4\n");
    const book = join(folder, "flaky.json");
    const commits = ["one", "one", "two"];
    const hunt = {
      root: folder,
      book,
      units: 2,
      systems: 0,
      onRun: () => {},
      commit: () => commits.shift() ?? "two",
    };
    assert.throws(() => huntFlaky(hunt), /the tree changed under unit run 2/);
    const kept = JSON.parse(readFileSync(book, "utf8")) as { commit: string; runs: FlakyRun[] };
    assert.deepEqual([kept.commit, kept.runs.map(({ seed, tests }) => [seed, tests])], ["one", [[1, 4]]]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
