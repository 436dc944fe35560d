// Near names, lists that keep the newest, times for people, strict JSON, names of results.

import assert from "node:assert/strict";
import { test } from "node:test";
import { editDistance, nearestName } from "./near-names.ts";
import { pushNewest } from "./newest.ts";
import { fields, list, oneOf, text, whole } from "./strict-json.ts";
import { formatNs } from "./units.ts";

test("a distance counts letters wrong, missing, too many, and two swapped", () => {
  for (const [left, right, distance] of [
    ["", "", 0],
    ["", "abc", 3],
    ["abc", "", 3],
    ["kitten", "sitting", 3],
    ["flaw", "lawn", 2],
    ["ab", "ba", 1],
    ["xab", "xba", 1],
    ["abcd", "acbd", 1],
    ["ca", "abc", 3],
    ["seria", "serial", 1],
    ["seriall", "serial", 1],
    ["sorial", "serial", 1],
  ] as const) {
    assert.equal(editDistance(left, right), distance, `${left} ${right}`);
    assert.equal(editDistance(right, left), distance, `${right} ${left}`);
  }
  assert.equal(editDistance("a".repeat(200), "a".repeat(200)), 0);
  assert.equal(editDistance("a".repeat(201), "a"), Number.POSITIVE_INFINITY);
  assert.equal(editDistance("a", "a".repeat(201)), Number.POSITIVE_INFINITY);
});

test("the nearest name is the first of the nearest, and none beyond the most", () => {
  assert.equal(nearestName("seral", ["network", "serial", "aerial"], 2), "serial");
  assert.equal(nearestName("bat", ["cat", "hat"], 1), "cat");
  assert.equal(nearestName("abcd", ["abxy"], 2), "abxy");
  assert.equal(nearestName("abcd", ["abxy"], 1), null);
  assert.equal(nearestName("abcd", [], 9), null);
});

test("a list of the newest drops the older half at twice its most, and says how many", () => {
  const kept: number[] = [];
  const dropped = Array.from({ length: 12 }, (_, index) => pushNewest(kept, index, 3));
  assert.deepEqual(dropped, [0, 0, 0, 0, 0, 3, 0, 0, 3, 0, 0, 3]);
  assert.deepEqual(kept, [9, 10, 11]);
});

test("times for people: the unit changes at a thousand, three places at most, no empty ones", () => {
  for (const [ns, words] of [
    [0, "0 ns"],
    [999, "999 ns"],
    [1_000, "1 us"],
    [90_500, "90.5 us"],
    [999_999, "999.999 us"],
    [1_000_000, "1 ms"],
    [1_230_000, "1.23 ms"],
    [999_000_000, "999 ms"],
    [1_000_000_000, "1 s"],
    [61_500_000_000, "61.5 s"],
  ] as const)
    assert.equal(formatNs(ns), words);
});

test("strict JSON: an object has its fields and no other, and the refusal names the field", () => {
  assert.deepEqual(fields({ a: 1, b: 2 }, "it", ["a", "b"]), { a: 1, b: 2 });
  assert.deepEqual(fields({ a: 1 }, "it", ["a", "b"], ["b"]), { a: 1 });
  for (const wrong of [null, 7, "text", [1], undefined])
    assert.throws(() => fields(wrong, "it", ["a"]), { name: "RangeError", message: "it is no object" });
  assert.throws(() => fields({ a: 1, c: 2 }, "it", ["a"]), /it has "c", which nobody knows; there are: a/);
  assert.throws(() => fields({ a: 1 }, "it", ["a", "b"], ["a"]), /it has no "b"/);
  assert.throws(() => fields(Object.create({ a: 1 }), "it", ["a"]), /it has no "a"/);
});

test("strict JSON: numbers, words, lists and texts to their limits and no further", () => {
  assert.equal(whole(3, "n", 3, 5), 3);
  assert.equal(whole(5, "n", 3, 5), 5);
  for (const wrong of [2, 6, 3.5, "4", Number.NaN, null])
    assert.throws(() => whole(wrong, "n", 3, 5), /n is no whole number from 3 to 5/);
  assert.throws(() => whole(2 ** 53, "n", 0, 2 ** 60), RangeError);
  assert.equal(oneOf("b", "word", ["a", "b"]), "b");
  assert.throws(() => oneOf("c", "word", ["a", "b"]), /word is none of a, b/);
  assert.deepEqual(
    list([1, 2], "list", 2, (each, what) => `${what}: ${each}`),
    ["list 1: 1", "list 2: 2"],
  );
  assert.throws(() => list([1, 2, 3], "list", 2, () => 0), /list is no list of at most 2/);
  assert.throws(() => list("ab", "list", 2, () => 0), /list is no list/);
  assert.equal(text("abc", "t", 3), "abc");
  assert.throws(() => text("abcd", "t", 3), /t is no text of at most 3 characters/);
  assert.throws(() => text(5, "t", 3), RangeError);
});
