// Buffers that are used again, and input that is looked at where it lies.

import assert from "node:assert/strict";
import { test } from "node:test";
import { BufferPool } from "./buffer-pool.ts";
import { InputBuffer } from "./input-buffer.ts";
import { Random } from "./random.ts";

test("a pool gives back what it was given, for lengths of the same size", () => {
  const pool = new BufferPool(1 << 20);
  const buffer = pool.take(16432);
  assert.ok(buffer.length >= 16432);
  pool.give(buffer);
  assert.equal(pool.keptBytes, buffer.length);
  assert.equal(pool.take(17000), buffer);
  assert.equal(pool.keptBytes, 0);
  assert.notEqual(pool.take(17000), buffer);
});

test("a pool keeps no more than it may, nothing small, nothing huge and nothing of others", () => {
  const pool = new BufferPool(10_000);
  pool.give(pool.take(5000));
  pool.give(new Uint8Array(8192));
  assert.equal(pool.keptBytes, 8192);
  for (const length of [0, 100, 2047, 5001, (1 << 20) + 4096]) pool.give(new Uint8Array(length));
  assert.equal(pool.keptBytes, 8192);
  assert.equal(pool.take(10).length, 10);
  assert.equal(pool.take((1 << 20) + 1).length, (1 << 20) + 1);
});

test("lent chunks are read in place, and what is left of them is kept", () => {
  const random = new Random(3);
  const sent = Uint8Array.from({ length: 5000 }, () => random.below(256));
  const input = new InputBuffer();
  const read: number[] = [];
  for (let at = 0; at < sent.length; ) {
    const chunk = sent.slice(at, at + 1 + random.below(200));
    at += chunk.length;
    if (random.chance(0.2)) input.push(chunk);
    else input.lend(chunk);
    // Messages of 7 bytes.
    while (input.available >= 7) {
      read.push(...input.bytes.subarray(input.start, input.start + 7));
      input.consume(7);
    }
    // Now and then the next call must keep what is lent.
    if (random.chance(0.2)) continue;
    input.keep();
    chunk.fill(0xee);
  }
  input.keep();
  read.push(...input.bytes.subarray(input.start, input.end));
  assert.deepEqual(read, [...sent]);
});

test("a cleared input has its own block again", () => {
  const input = new InputBuffer();
  const chunk = new Uint8Array(100);
  input.lend(chunk);
  input.clear();
  assert.equal(input.available, 0);
  input.push(Uint8Array.of(1, 2, 3));
  assert.deepEqual([chunk[0], chunk[1]], [0, 0]);
});
