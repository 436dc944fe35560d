// What runs say about a case: each state from rows that lead to it (board.md 4.4).

import assert from "node:assert/strict";
import { test } from "node:test";
import type { CaseRunRow } from "./records.ts";
import { isAlarm, stillTrue } from "./still-true.ts";

let ids = 100;
/** Newest first, as the store gives them. */
function runs(...rows: readonly Partial<CaseRunRow>[]): CaseRunRow[] {
  return rows.map((row) => ({
    id: ids--,
    caseId: "P02",
    side: "bad",
    seed: 1,
    drydockVersion: "0.2.0",
    build: "b",
    verdict: "failed",
    result: "stalled",
    traceDigest: "1",
    wallMs: 1,
    at: 5,
    ...row,
  }));
}
const good = { side: "good", verdict: "succeeded", result: "ok" } as const;

test("each state of a case", () => {
  const state = (...rows: readonly Partial<CaseRunRow>[]) => stillTrue(runs(...rows)).state;
  assert.equal(state(), "never run");
  assert.equal(state({}), "never run", "one side alone says nothing");
  assert.equal(state(good, {}), "holds");
  assert.equal(state(good, {}, { ...good, build: "a" }, { build: "a" }), "holds", "two builds that agree");
  assert.equal(state(good, { traceDigest: "2" }, { ...good, build: "a" }, { build: "a" }), "changed");
  assert.equal(state(good, { verdict: "succeeded" }), "no longer fails");
  assert.equal(state({ ...good, verdict: "failed" }, {}), "fails otherwise");
  assert.equal(state(good, { result: "another way" }, { build: "a" }), "fails otherwise");
  assert.equal(state(good, { verdict: "error", result: "broke" }), "cannot run");
});

test("the bad driver passing is an alarm, and says so", () => {
  const known = stillTrue(runs(good, { verdict: "succeeded", result: "no stall" }));
  assert.equal(isAlarm(known.state), true);
  assert.match(known.text, /no longer fails: no stall/);
  assert.equal(isAlarm(stillTrue(runs(good, {})).state), false);
});
