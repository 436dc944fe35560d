// AC'97's list: entries as the specification draws them, and what cannot be said in one.

import assert from "node:assert/strict";
import { test } from "node:test";
import { newAc97Buffer, readAc97Buffer, writeAc97Buffer } from "./ac97.ts";

test("an entry: address, samples, interrupt in bit 31 and play-on in bit 30 of the second dword", () => {
  const bytes = new Uint8Array(8);
  writeAc97Buffer(bytes, 0, {
    address: 0x40008000,
    samples: 16384,
    isInterrupting: true,
    isPlayedOn: false,
  });
  assert.deepEqual([...bytes], [0x00, 0x80, 0x00, 0x40, 0x00, 0x40, 0x00, 0x80]);
  const read = newAc97Buffer();
  readAc97Buffer(Uint8Array.of(0x01, 0, 0, 0x10, 0xfe, 0xff, 0x00, 0x40), 0, read);
  assert.deepEqual(read, { address: 0x10000000, samples: 65534, isInterrupting: false, isPlayedOn: true });
});

for (const [what, address, samples] of [
  ["above 4 GiB", 0x1_0000_0000, 2],
  ["at an odd address", 0x1001, 2],
  ["without samples", 0x1000, 0],
  ["with more samples than the field holds", 0x1000, 65536],
] as const)
  test(`a buffer ${what} is refused, not cut`, () => {
    assert.throws(
      () => writeAc97Buffer(new Uint8Array(8), 0, { ...newAc97Buffer(), address, samples }),
      RangeError,
    );
  });
