// Sense descriptors of other kinds, and reports of commands that leave the table as it was. SPC-4 r37 §4.5, §6.35.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesFromHex } from "../../base/text.ts";
import { findScsiCommand } from "./commands.ts";
import { decodeSense } from "./sense.ts";
import { encodeOneCommand, reportedUsage } from "./supported-commands.ts";

test("information is what stands in descriptor 0 with VALID set; other descriptors of its length are none", () => {
  const head = "72 03 11 00 00 00 00 0c";
  const value = "00 00 00 01 00 00 00 02";
  assert.equal(decodeSense(bytesFromHex(`${head} 00 0a 80 00 ${value}`)).information, 2 ** 32 + 2);
  assert.equal(decodeSense(bytesFromHex(`${head} 00 0a 00 00 ${value}`)).information, null, "not valid");
  // 80h and above are the vendor's; 01h is command specific.
  assert.equal(decodeSense(bytesFromHex(`${head} 80 0a 80 00 ${value}`)).information, null);
  const specific = decodeSense(bytesFromHex(`${head} 01 0a 80 00 ${value}`));
  assert.deepEqual([specific.information, specific.commandSpecific], [null, 2 ** 32 + 2]);
});

test("a reported usage stands for its opcode and action, and the table keeps its own", () => {
  const info = findScsiCommand(Uint8Array.of(0x9e, 0x10));
  assert.ok(info !== null);
  const before = info.usage.slice();
  const usage = reportedUsage(info);
  assert.equal(usage[0], 0x9e);
  assert.equal(usage[1] & 0x1f, 0x10);
  usage.fill(0xee);
  assert.deepEqual(info.usage, before);
  const bytes = encodeOneCommand(info, true);
  assert.deepEqual([...bytes.subarray(0, 6)], [0, 0x83, 0, 16, 0x9e, (before[1] & 0xe0) | 0x10]);
  assert.equal(bytes.length, 4 + 16 + 12);
  assert.deepEqual([...bytes.subarray(20, 22)], [0, 10]);
  assert.deepEqual([...encodeOneCommand(null, true)], [0, 1, 0, 0]);
});
