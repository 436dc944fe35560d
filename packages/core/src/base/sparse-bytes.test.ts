// A large array in pages against a plain one: reads, writes and holes at every edge.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "./random.ts";
import { SparseBytes } from "./sparse-bytes.ts";

const page = 65536;

test("what is read is what was written, over edges of pages, and zeros elsewhere", () => {
  const random = new Random(4);
  const sparse = new SparseBytes();
  const plain = new Uint8Array(page * 4);
  // Lengths of up to two pages, and often exactly one page at its edge.
  const draw = (): [number, number] => {
    if (random.chance(0.2)) return [random.below(3) * page, page];
    const from = random.below(plain.length - 1);
    return [from, random.below(Math.min(plain.length - from, page * 2)) + 1];
  };
  for (let round = 0; round < 400; round++) {
    const [at, length] = draw();
    if (random.chance(0.5)) {
      const offset = random.chance(0.5) ? 0 : random.below(5);
      const block = Uint8Array.from(
        { length: length + offset + random.below(2) },
        () => random.next32() & 255,
      );
      sparse.write(at, block, offset, length);
      plain.set(block.subarray(offset, offset + length), at);
    } else if (random.chance(0.4)) {
      sparse.clear(at, length);
      plain.fill(0, at, at + length);
    } else {
      const into = new Uint8Array(length + 4).fill(0xcc);
      sparse.read(at, into, 2, length);
      assert.ok(
        Buffer.from(into.subarray(2, 2 + length)).equals(plain.subarray(at, at + length)),
        `round ${round}`,
      );
      assert.deepEqual([into[0], into[1], into[length + 2], into[length + 3]], [0xcc, 0xcc, 0xcc, 0xcc]);
    }
  }
});

test("memory is taken by pages that were written, and given back by whole pages that are cleared", () => {
  const sparse = new SparseBytes();
  assert.equal(sparse.allocatedBytes, 0);
  sparse.write(page * 1000 - 1, Uint8Array.of(1, 2), 0, 2);
  assert.equal(sparse.allocatedBytes, 2 * page);
  sparse.clear(page * 1000, page - 1);
  assert.equal(sparse.allocatedBytes, 2 * page);
  sparse.clear(page * 1000, page);
  assert.equal(sparse.allocatedBytes, page);
  sparse.clear(0, page);
  assert.equal(sparse.allocatedBytes, page, "a hole in a hole");
});

test("a page is given as it is when one holds all of the range", () => {
  const sparse = new SparseBytes();
  sparse.write(page + 10, Uint8Array.of(7), 0, 1);
  assert.equal(sparse.pageOf(page + 10, page - 10)?.[sparse.offsetInPage(page + 10)], 7);
  assert.equal(sparse.pageOf(page + 10, page - 9), null, "it reaches into the next");
  assert.equal(sparse.pageOf(0, 10), null, "none is there");
  assert.equal(sparse.offsetInPage(page * 3 + 5), 5);
});
