// DR08-2: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { dr08x2 } from "./dr08-2.ts";

test("DR08-2 fires: in words", async () => {
  await assertFires(dr08x2, { a: "RelinkBridge: success, status GOOD" }, /accepted; whether the drive left/);
});

test("DR08-2 is silent: a relink that failed", async () => {
  await assertSilent(dr08x2, { a: "RelinkBridge: failed with 0xe00002ed" });
});
