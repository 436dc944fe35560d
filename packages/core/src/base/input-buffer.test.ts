// What waits in an input buffer is what came and was not consumed, wherever the block is.

import assert from "node:assert/strict";
import { test } from "node:test";
import { InputBuffer } from "./input-buffer.ts";
import { Random } from "./random.ts";

const waiting = (buffer: InputBuffer): number[] => [...buffer.bytes.subarray(buffer.start, buffer.end)];

test("pushes, loans and bites in any order: nothing is lost, nothing comes twice", () => {
  const random = new Random(11);
  const buffer = new InputBuffer();
  const expected: number[] = [];
  let next = 0;
  for (let round = 0; round < 3000; round++) {
    const chunk = Uint8Array.from(
      { length: random.below(random.chance(0.05) ? 9000 : 300) },
      () => next++ & 255,
    );
    if (random.chance(0.5)) {
      buffer.lend(chunk);
      expected.push(...chunk);
      const bite = random.below(buffer.available + 1);
      buffer.consume(bite);
      expected.splice(0, bite);
      buffer.keep();
      chunk.fill(0xaa); // its owner uses it again
    } else {
      buffer.push(chunk);
      expected.push(...chunk);
    }
    const bite = Math.min(buffer.available, random.below(700));
    buffer.consume(bite);
    expected.splice(0, bite);
    assert.equal(buffer.available, expected.length);
    if (round % 50 === 0) assert.deepEqual(waiting(buffer), expected);
  }
  assert.deepEqual(waiting(buffer), expected);
});

test("a lent chunk is looked at where it is, unless something waits before it", () => {
  const buffer = new InputBuffer();
  const chunk = Uint8Array.of(1, 2, 3);
  buffer.lend(chunk);
  assert.equal(buffer.bytes, chunk);
  buffer.consume(1);
  buffer.keep();
  assert.notEqual(buffer.bytes, chunk);
  assert.deepEqual(waiting(buffer), [2, 3]);
  const later = Uint8Array.of(4);
  buffer.lend(later);
  assert.notEqual(buffer.bytes, later);
  assert.deepEqual(waiting(buffer), [2, 3, 4]);
});

test("a buffer that is empty begins again at its head; one that is cleared gives a large block back", () => {
  const buffer = new InputBuffer();
  buffer.push(new Uint8Array(10));
  buffer.consume(10);
  assert.deepEqual([buffer.start, buffer.end], [0, 0]);
  buffer.push(new Uint8Array(1 << 20));
  buffer.clear();
  assert.equal(buffer.bytes.length, 1 << 20, "a block of 1 MiB is kept");
  assert.equal(buffer.available, 0);
  buffer.push(new Uint8Array((1 << 20) + 1));
  buffer.clear();
  assert.equal(buffer.bytes.length, 4096);
  const chunk = Uint8Array.of(7);
  buffer.lend(chunk);
  buffer.clear();
  assert.notEqual(buffer.bytes, chunk, "what was lent is given back");
  assert.deepEqual([buffer.start, buffer.end], [0, 0]);
});

test("the block moves before it grows, and grows by doubling", () => {
  const buffer = new InputBuffer();
  buffer.push(new Uint8Array(4000));
  buffer.consume(3990);
  buffer.push(new Uint8Array(4086).fill(5));
  assert.equal(buffer.bytes.length, 4096);
  assert.deepEqual([buffer.start, buffer.end], [0, 4096]);
  buffer.push(new Uint8Array(1));
  assert.equal(buffer.bytes.length, 8192);
  assert.deepEqual(waiting(buffer).slice(9, 12), [0, 5, 5]);
});
