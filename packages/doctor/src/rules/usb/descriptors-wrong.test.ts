// FX-DESCRIPTORS: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { descriptorsWrong } from "./descriptors-wrong.ts";

const own = [18, 1, 0, 2, 0, 0, 0, 64, 9, 18, 1, 0, 0, 1, 0, 0, 0, 1];
const disk = (endpoints: number, attributes = 0x80) => [
  9,
  2,
  32,
  0,
  1,
  1,
  0,
  attributes,
  50,
  9,
  4,
  0,
  0,
  endpoints,
  8,
  6,
  0x50,
  0,
  7,
  5,
  0x81,
  2,
  64,
  0,
  0,
  7,
  5,
  2,
  2,
  64,
  0,
  0,
];
const array = (bytes: readonly number[]) =>
  `const uint8_t configuration[] = {\n  0x09, 0x02, ${bytes.slice(2).join(",\n  ")}\n};\n`;

test("FX-DESCRIPTORS fires: bytes of a device, a count that does not count", async () => {
  await assertFires(
    descriptorsWrong,
    { descriptors: Uint8Array.from([...own, ...disk(3)]) },
    /configuration 0, byte 13/,
  );
});

test("FX-DESCRIPTORS fires: an array of a source, at its line", async () => {
  await assertFires(descriptorsWrong, { "usb.c": array(disk(3)) }, /promises 3 endpoints/);
});

test("FX-DESCRIPTORS is a hint: what no host is known to trip over", async () => {
  await assertFires(
    descriptorsWrong,
    { descriptors: Uint8Array.from([...own, ...disk(2, 0)]) },
    /bmAttributes/,
    "hint",
  );
});

test("FX-DESCRIPTORS is silent: right ones, and a table of numbers", async () => {
  await assertSilent(descriptorsWrong, {
    descriptors: Uint8Array.from([...own, ...disk(2)]),
    "usb.c": array(disk(2)),
    "table.c": "int t[] = { 0x09, 0x02, 1, 2, 3, 4, 5, 6, 7, 8, 9, 77, 78 };\n",
  });
});
