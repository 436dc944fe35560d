// Painted runs hold what an array of every block would.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "@drydock/core/base/random";
import { PaintedBlocks } from "./painted-blocks.ts";

test("two thousand changes of ranges are what they are block by block, and runs that agree are one", () => {
  const random = new Random(25);
  const painted = new PaintedBlocks();
  const plain = new Uint8Array(300);
  for (let times = 0; times < 2000; times++) {
    const from = random.next32() % 300;
    const to = Math.min(300, from + (random.next32() % 40));
    const state = random.next32() % 5;
    const become = random.chance(0.5) ? () => state : (before: number) => (before === 2 ? state : before);
    painted.change(from, to, become);
    for (let block = from; block < to; block++) plain[block] = become(plain[block]);
    assert.deepEqual(
      Uint8Array.from({ length: 300 }, (_none, block) => painted.stateOf(block)),
      plain,
      `change ${times}`,
    );
    const borders = plain.filter((value, block) => value !== 0 && value !== plain[block - 1]).length;
    assert.equal(painted.runCount, borders, `runs after change ${times}`);
  }
  for (const state of [1, 2, 3, 4])
    assert.equal(painted.count(state), plain.filter((value) => value === state).length);
});

test("the two ends of a disk of 66 TB are two cells with the gravest state of each", () => {
  const painted = new PaintedBlocks();
  painted.paint(0, 40, 2);
  painted.paint(8, 9, 4);
  painted.paint(128_906_249_000, 128_906_250_000, 1);
  const { cells, from, perCell } = painted.cells(1000);
  assert.equal(from, 0);
  assert.equal(perCell, 128_906_250);
  assert.equal(cells.length, 1000);
  assert.equal(cells[0], 4);
  assert.equal(cells[999], 1);
  assert.equal(cells[500], 0);
});
