// DR18-2: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { lowAddressTakenAsOwn } from "./low-address-taken-as-own.ts";

test("DR18-2 fires: 0x801c0000 is below 4 GiB", async () => {
  await assertFires(
    lowAddressTakenAsOwn,
    { l: "fBufferIOVMAddr 0x801c0000, length 6\nthe buffer is all zero" },
    /0x801c0000 is below 4 GiB/,
  );
});

test("DR18-2 is silent on: fBufferIOVMAddr 0x1801c0000, length 6", async () => {
  await assertSilent(lowAddressTakenAsOwn, {
    l: "fBufferIOVMAddr 0x1801c0000, length 6\nthe buffer is all zero",
  });
});
