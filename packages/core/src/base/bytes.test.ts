// Numbers in bytes, both ways round, and a reader that stops at the end and says where.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as bytes from "./bytes.ts";
import { DecodeError } from "./errors.ts";

const block = () => Uint8Array.of(0x01, 0x82, 0x03, 0x84, 0x85, 0x06, 0x87, 0x88, 0x09);

test("little-endian numbers are read from their offset, the lowest byte first", () => {
  assert.equal(bytes.getU16le(block(), 1), 0x0382);
  assert.equal(bytes.getU16le(block(), 3), 0x8584);
  assert.equal(bytes.getU32le(block(), 1), 0x85840382);
  assert.equal(bytes.getU32le(block(), 4), 0x88870685);
});

test("big-endian numbers are read from their offset, the highest byte first", () => {
  assert.equal(bytes.getU16be(block(), 1), 0x8203);
  assert.equal(bytes.getU24be(block(), 1), 0x820384);
  assert.equal(bytes.getU32be(block(), 1), 0x82038485);
  assert.equal(bytes.getU64be(Uint8Array.of(9, 0, 0x1f, 1, 2, 0xf3, 4, 5, 6), 1), 0x001f0102f3040506);
  assert.equal(bytes.getU64be(new Uint8Array(8).fill(255), 0), 2 ** 64, "the nearest number above 2^53");
});

test("numbers are written at their offset and nowhere else, whatever their upper bits", () => {
  const written = (put: (into: Uint8Array, at: number, value: number) => void, value: number) => {
    const into = new Uint8Array(10).fill(0xee);
    put(into, 1, value);
    return Buffer.from(into).toString("hex");
  };
  assert.equal(written(bytes.putU16le, 0x9182), "ee8291eeeeeeeeeeeeee");
  assert.equal(written(bytes.putU16le, 0x59182), "ee8291eeeeeeeeeeeeee");
  assert.equal(written(bytes.putU32le, 0xf1e2d3c4), "eec4d3e2f1eeeeeeeeee");
  assert.equal(written(bytes.putU16be, 0x9182), "ee9182eeeeeeeeeeeeee");
  assert.equal(written(bytes.putU24be, 0xf19182), "eef19182eeeeeeeeeeee");
  assert.equal(written(bytes.putU32be, 0xf1e2d3c4), "eef1e2d3c4eeeeeeeeee");
  assert.equal(written(bytes.putU64be, 0x001f0102f3040506), "ee001f0102f3040506ee");
});

test("bytes are the same only if all are, and as many", () => {
  assert.equal(bytes.isSameBytes(Uint8Array.of(1, 2, 3), Uint8Array.of(1, 2, 3)), true);
  assert.equal(bytes.isSameBytes(new Uint8Array(0), new Uint8Array(0)), true);
  assert.equal(bytes.isSameBytes(Uint8Array.of(1, 2, 3), Uint8Array.of(1, 2, 4)), false);
  assert.equal(bytes.isSameBytes(Uint8Array.of(1, 2, 3), Uint8Array.of(0, 2, 3)), false);
  assert.equal(bytes.isSameBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2, 3)), false);
  assert.equal(bytes.isSameBytes(Uint8Array.of(1, 2, 3), Uint8Array.of(1, 2)), false);
});

test("the reader goes forward by what it reads, to its end and no further", () => {
  const reader = new bytes.ByteReader(block(), "block", 1, 8);
  assert.equal(reader.remaining, 7);
  assert.equal(reader.u8("a"), 0x82);
  assert.equal(reader.u16le("b"), 0x8403);
  assert.equal(reader.u32le("c"), 0x88870685);
  assert.equal(reader.remaining, 0);
  for (const read of [
    () => reader.u8("d"),
    () => reader.u16le("d"),
    () => reader.u32le("d"),
    () => reader.take(1, "d"),
  ])
    assert.throws(
      read,
      (error) => error instanceof DecodeError && error.offset === 8 && error.subject === "block",
    );
  assert.equal(reader.offset, 8, "a refusal reads nothing");
});

test("the reader refuses what is one byte too long, and takes what just fits", () => {
  for (const [size, read] of [
    [1, (reader: bytes.ByteReader) => reader.u8("x")],
    [2, (reader: bytes.ByteReader) => reader.u16le("x")],
    [4, (reader: bytes.ByteReader) => reader.u32le("x")],
    [3, (reader: bytes.ByteReader) => reader.take(3, "x")],
  ] as const) {
    read(new bytes.ByteReader(block(), "block", 2, 2 + size));
    assert.throws(() => read(new bytes.ByteReader(block(), "block", 2, 1 + size)), DecodeError);
  }
});

test("an end behind the bytes is their end; what is taken is a copy", () => {
  const from = block();
  const reader = new bytes.ByteReader(from, "block", 6, 100);
  assert.equal(reader.end, 9);
  const taken = reader.take(3, "all");
  assert.deepEqual([...taken], [0x87, 0x88, 0x09]);
  assert.equal(reader.offset, 9);
  taken[0] = 0;
  assert.equal(from[6], 0x87);
});

test("a refusal of the reader's user stands where he says, or where the reader stands", () => {
  const reader = new bytes.ByteReader(block(), "block");
  reader.u16le("two");
  assert.throws(
    () => reader.fail("wrong"),
    (error) =>
      error instanceof DecodeError && error.offset === 2 && error.message === "block: wrong (at byte 2)",
  );
  assert.throws(
    () => reader.fail("wrong", 7),
    (error) => error instanceof DecodeError && error.offset === 7,
  );
});
