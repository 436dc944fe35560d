// The doors of the cases are the casebook, one by one.

import assert from "node:assert/strict";
import { test } from "node:test";
import { caseIds, loadCase } from "./case-doors.ts";
import { casebook, findCase } from "./casebook.ts";

test("each case of the casebook has its door, in the same order, and no other is known", async () => {
  assert.deepEqual(
    caseIds,
    casebook.map(({ id }) => id),
  );
  for (const id of caseIds) assert.equal(await loadCase(id.toLowerCase()), findCase(id));
  await assert.rejects(loadCase("P99"), /no case "P99"; there are: P01, P02/);
  await assert.rejects(loadCase("constructor"), RangeError);
});
