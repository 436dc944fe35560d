// DR19-1: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { flushWithoutCommand } from "./flush-without-command.ts";

test("DR19-1 fires: SYNCHRONIZE CACHE was never sent ... page 08h", async () => {
  await assertFires(
    flushWithoutCommand,
    { l: "opcode 0x1a\nopcode 0x2a\nopcode 0x2a\n", t: "F_FULLFSYNC returned 0" },
    /SYNCHRONIZE CACHE was never sent as far as this evidence goes.*page 08h/,
  );
});

test("DR19-1 fires: somebody's words", async () => {
  await assertFires(
    flushWithoutCommand,
    { q: "diskutil works, but SYNCHRONIZE CACHE is never dispatched to my dext" },
    /takes the write cache for off/,
  );
});

test("DR19-1 is silent on a near miss", async () => {
  await assertSilent(flushWithoutCommand, {
    l: "opcode 0x1a\nopcode 0x2a\nopcode 0x35\nopcode 0x2a\n",
    t: "F_FULLFSYNC returned 0",
  });
});

test("DR19-1 is silent on a near miss: no flush was asked for", async () => {
  await assertSilent(flushWithoutCommand, { l: "opcode 0x1a\nopcode 0x2a\nopcode 0x2a\n" });
});
