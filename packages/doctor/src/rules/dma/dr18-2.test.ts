// DR18-2: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { dr18x2 } from "./dr18-2.ts";

test("DR18-2 fires", async () => {
  await assertFires(
    dr18x2,
    { l: "fBufferIOVMAddr 0x801c0000, length 6\nthe buffer is all zero" },
    /0x801c0000 is below 4 GiB/,
  );
});

test("DR18-2 is silent on a near miss", async () => {
  await assertSilent(dr18x2, { l: "fBufferIOVMAddr 0x1801c0000, length 6\nthe buffer is all zero" });
});
