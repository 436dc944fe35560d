// Ranges that are not kept yet: joined where they meet, bounded, and never less than what was written.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "@drydock/core/base/random";
import { UnsafeRanges } from "./unsafe-ranges.ts";

test("what touches is one range, what is apart stays apart, in order", () => {
  const ranges = new UnsafeRanges();
  for (const [from, to] of [
    [512, 1024],
    [4096, 8192],
    [1024, 1536],
    [0, 100],
    [5000, 6000],
  ])
    ranges.add(from, to);
  assert.deepEqual(ranges.ranges, [
    { from: 0, to: 100 },
    { from: 512, to: 1536 },
    { from: 4096, to: 8192 },
  ]);
  ranges.add(90, 4100);
  assert.deepEqual(ranges.ranges, [{ from: 0, to: 8192 }]);
  assert.equal(ranges.bytes, 8192);
});

test("ten thousand places make a short list in which each of them lies", () => {
  const random = new Random(7);
  const ranges = new UnsafeRanges();
  const places: number[] = [];
  for (let count = 0; count < 10_000; count++) {
    const at = random.below(2 ** 40);
    places.push(at);
    ranges.add(at, at + 512);
  }
  const list = ranges.ranges;
  assert.ok(list.length <= 64);
  for (let index = 1; index < list.length; index++) assert.ok(list[index].from > list[index - 1].to);
  for (const at of places)
    assert.ok(
      list.some(({ from, to }) => from <= at && at + 512 <= to),
      `${at} is missing`,
    );
  assert.equal(list[0].from, Math.min(...places));
});
