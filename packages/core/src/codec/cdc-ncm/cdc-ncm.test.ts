// NCM: parameters, blocks of both widths, and every way in which a block can lie.

import assert from "node:assert/strict";
import { test } from "node:test";
import { getU16le, getU32le, putU16le, putU32le } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";
import { Random } from "../../base/random.ts";
import { bytesFromHex, hexBytes } from "../../base/text.ts";
import { decodeSetup } from "../usb/setup.ts";
import {
  decodeNtbParameters,
  describeNcmRequest,
  encodeNtbParameters,
  lawfulAlignment,
  type NtbBits,
} from "./cdc-ncm.ts";
import { type NtbLayout, NtbReader, NtbWriter } from "./ntb.ts";

const parameters = {
  ...{ formats: 3, inMaxSize: 16384, inDivisor: 4, inRemainder: 0, inAlignment: 4 },
  ...{ outMaxSize: 16384, outDivisor: 4, outRemainder: 2, outAlignment: 8, outMaxDatagrams: 0 },
};
const layout: NtbLayout = {
  ...{ bits: 16, withCrc: false, maximum: 16384, maximumDatagrams: 0 },
  ...{ divisor: 4, remainder: 0, alignment: 4 },
};
const frameOf = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (seed * 29 + index) & 0xff);

function blockOf(frames: readonly Uint8Array[], how: Partial<NtbLayout> = {}, packetBytes = 0): Uint8Array {
  const writer = new NtbWriter({ ...layout, ...how });
  const into = new Uint8Array(70_000).fill(0xee);
  writer.begin(into);
  for (const frame of frames) assert.equal(writer.add(frame, 0, frame.length), true);
  return into.slice(0, writer.finish(packetBytes));
}

function read(block: Uint8Array, reader = new NtbReader(1518)): Uint8Array[] {
  const frames: Uint8Array[] = [];
  reader.read(block, block.length, (bytes, offset, length) =>
    frames.push(bytes.slice(offset, offset + length)),
  );
  return frames;
}

test("one datagram in a 16-bit block is these bytes (NCM 1.0 tables 3-1 and 3-3)", () => {
  const block = blockOf([frameOf(14, 0)]);
  assert.equal(hexBytes(block.subarray(0, 12)), "4e 43 4d 48 0c 00 00 00 2c 00 1c 00");
  assert.equal(hexBytes(block.subarray(28)), "4e 43 4d 30 10 00 00 00 0e 00 0e 00 00 00 00 00");
  assert.equal((14 + 14) % 4, 0, "the payload begins on four bytes");
});

for (const bits of [16, 32] as const satisfies readonly NtbBits[])
  for (const withCrc of [false, true])
    test(`${bits} bits, ${withCrc ? "with" : "without"} CRC: what is written is read, with every alignment`, () => {
      for (const divisor of [1, 4, 16, 64])
        for (const alignment of [4, 8, 64]) {
          const frames = [60, 61, 1514, 14, 999].map(frameOf);
          const block = blockOf(frames, { bits, withCrc, divisor, alignment, remainder: divisor >> 1 });
          assert.deepEqual(read(block), frames);
          const table = bits === 16 ? getU16le(block, 10) : getU32le(block, 12);
          assert.equal(table % alignment, 0);
        }
    });

test("nothing of an earlier block shows between datagrams", () => {
  const block = blockOf([frameOf(61, 0).fill(0), frameOf(63, 0).fill(0)], { divisor: 64 });
  const used = [block.subarray(12, getU16le(block, 10))];
  assert.equal(
    used.every((part) => part.every((byte) => byte === 0)),
    true,
  );
});

test("a block takes what it has room for, and its number counts up and round", () => {
  const writer = new NtbWriter({ ...layout, maximum: 2048, maximumDatagrams: 3 });
  const into = new Uint8Array(2048);
  for (let round = 0; round < 70_000; round++) {
    writer.begin(into);
    if (round === 0) {
      assert.deepEqual(
        [1, 2, 3, 4].map((seed) => writer.add(frameOf(100, seed), 0, 100)),
        [true, true, true, false],
      );
    } else writer.add(into, 0, 14);
    writer.finish();
    if (round === 69_999) assert.equal(getU16le(into, 6), 69_999 % 65_536);
  }
  writer.begin(into);
  assert.equal(writer.add(frameOf(1514, 1), 0, 1514), true);
  assert.equal(writer.add(frameOf(1514, 1), 0, 1514), false);
  assert.ok(writer.finish() <= 2048);
});

test("a block that would end on a full packet gets one byte more, and is read as before", () => {
  for (let length = 400; length < 520; length++) {
    const block = blockOf([frameOf(length, 1)], {}, 512);
    assert.notEqual(block.length % 512, 0);
    assert.deepEqual(read(block), [frameOf(length, 1)]);
  }
});

/** What is done to a good block, and what the refusal says. */
const lies: readonly [string, (block: Uint8Array) => void, RegExp][] = [
  ["another signature", (block) => putU32le(block, 0, 0x12345678), /neither NCMH nor ncmh/],
  ["another header length", (block) => putU16le(block, 4, 16), /wHeaderLength is 16/],
  ["longer than the transfer", (block) => putU16le(block, 8, block.length + 1), /wBlockLength is/],
  ["shorter than its header", (block) => putU16le(block, 8, 4), /wBlockLength is 4/],
  ["a table in the header", (block) => putU16le(block, 10, 8), /outside the block/],
  ["a table beyond the end", (block) => putU16le(block, 10, block.length - 4), /outside the block/],
  ["a table on an odd place", (block) => putU16le(block, 10, 13), /four bytes/],
  ["another signature of a table", (block) => putU32le(block, getU16le(block, 10), 0), /wrong signature/],
  ["a table of no length", (block) => putU16le(block, getU16le(block, 10) + 4, 0), /wLength is 0/],
  ["a table of an odd length", (block) => putU16le(block, getU16le(block, 10) + 4, 18), /wLength is 18/],
  [
    "a table longer than the block",
    (block) => putU16le(block, getU16le(block, 10) + 4, 4000),
    /wLength is 4000/,
  ],
  [
    "a table that is its own next",
    (block) => putU16le(block, getU16le(block, 10) + 6, getU16le(block, 10)),
    /itself|over each other/,
  ],
  [
    "a datagram beyond the end",
    (block) => putU16le(block, getU16le(block, 10) + 8, block.length),
    /outside the block/,
  ],
  [
    "a datagram longer than the block",
    (block) => putU16le(block, getU16le(block, 10) + 10, 0xffff),
    /outside the block/,
  ],
  ["a datagram in the header", (block) => putU16le(block, getU16le(block, 10) + 8, 4), /outside the block/],
  [
    "no end of the table",
    (block) => putU32le(block, block.length - 4, 0x000e000e),
    /no zero pair|over each other/,
  ],
];

for (const [name, spoil, message] of lies)
  test(`a block is refused: ${name}`, () => {
    const block = blockOf([frameOf(60, 1)]);
    spoil(block);
    assert.throws(
      () => read(block),
      (error: unknown) => error instanceof DecodeError && message.test(error.message),
    );
  });

test("two tables that point at each other end in a refusal, not in a loop", () => {
  const block = blockOf([frameOf(14, 1)]);
  const table = getU16le(block, 10);
  const two = new Uint8Array(block.length + 16);
  two.set(block);
  two.set(block.subarray(table, table + 16), block.length);
  putU16le(two, 8, two.length);
  putU16le(two, table + 6, block.length);
  putU16le(two, block.length + 6, table);
  assert.throws(() => read(two), /over each other|more than 32 tables/);
});

test("many pointers at one datagram are not a way to make much of little", () => {
  const count = 500;
  const block = new Uint8Array(12 + 1514 + 2 + 8 + 4 * (count + 1));
  block.set(bytesFromHex("4e434d480c0000000000"));
  putU16le(block, 10, 1528);
  block.set(bytesFromHex("4e434d30"), 1528);
  putU16le(block, 1532, 8 + 4 * (count + 1));
  for (let entry = 0; entry < count; entry++) {
    putU16le(block, 1536 + entry * 4, 14);
    putU16le(block, 1538 + entry * 4, 1514);
  }
  assert.throws(() => read(block), /over each other/);
});

test("a wrong CRC and what is no frame cost their datagram only", () => {
  const reader = new NtbReader(1518);
  const block = blockOf([frameOf(60, 1), frameOf(61, 2)], { withCrc: true });
  block[40] ^= 1;
  assert.deepEqual(read(block, reader), [frameOf(61, 2)]);
  assert.equal(reader.badCrcs, 1);
  const odd = blockOf([frameOf(1600, 1), frameOf(13, 2), frameOf(60, 3)]);
  assert.deepEqual(read(odd, reader), [frameOf(60, 3)]);
  assert.equal(reader.badLengths, 2);
});

test("blocks with single bytes changed give frames or a DecodeError, nothing else", () => {
  const random = new Random(7);
  const block = blockOf([60, 300, 61, 90].map(frameOf));
  for (let round = 0; round < 3000; round++) {
    const changed = block.slice(0, random.chance(0.2) ? random.below(block.length) : block.length);
    for (let count = 0; count < 3 && changed.length > 0; count++)
      changed[random.below(Math.min(changed.length, random.chance(0.5) ? 12 : changed.length))] =
        random.below(256);
    try {
      for (const frame of read(changed)) assert.ok(frame.length >= 14 && frame.length <= 1518);
    } catch (error) {
      assert.ok(error instanceof DecodeError, String(error));
    }
  }
});

test("parameters are 28 bytes, read back, and refused where no host can obey them", () => {
  const bytes = encodeNtbParameters(parameters);
  assert.equal(
    hexBytes(bytes),
    "1c 00 03 00 00 40 00 00 04 00 00 00 04 00 00 00 00 40 00 00 04 00 02 00 08 00 00 00",
  );
  assert.deepEqual(decodeNtbParameters(bytes), parameters);
  assert.throws(() => decodeNtbParameters(bytes.subarray(0, 27)), /needs 28 bytes/);
  for (const [at, value, message] of [
    [0, 27, /wLength is 27/],
    [2, 2, /NTB-16/],
    [4, 2047, /dwNtbInMaxSize is 2047/],
    [16, 0, /dwNtbOutMaxSize is 0/],
  ] as const) {
    const wrong = bytes.slice();
    putU16le(wrong, at, value);
    assert.throws(() => decodeNtbParameters(wrong), message);
  }
  assert.deepEqual(lawfulAlignment(0, 7, 3, 16384), { divisor: 4, remainder: 0, alignment: 4 });
  assert.deepEqual(lawfulAlignment(16, 2, 64, 16384), { divisor: 16, remainder: 2, alignment: 64 });
});

test("requests have names", () => {
  const say = (setup: string) => describeNcmRequest(decodeSetup(bytesFromHex(setup)));
  assert.equal(say("a1 80 00 00 00 00 1c 00"), "GET_NTB_PARAMETERS");
  assert.equal(say("21 84 01 00 00 00 00 00"), "SET_NTB_FORMAT 1");
  assert.equal(say("c0 80 00 00 00 00 1c 00"), null);
});
