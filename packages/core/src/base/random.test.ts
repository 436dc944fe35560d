// Chance that others can draw again: sfc32 worked out in another way, ranges to their ends, forks by name.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "./random.ts";

/** sfc32 with whole numbers of any size, as its author wrote it down; three words of the seed, twelve rounds unheard. */
function* sfc32(seed: bigint): Generator<number> {
  const word = (value: bigint): bigint => value & 0xffffffffn;
  let [a, b, c, counter] = [word(seed), word(seed >> 32n), 0x9e3779b9n, 1n];
  for (let round = 0; ; round++) {
    const sum = word(a + b + counter);
    counter = word(counter + 1n);
    a = b ^ (b >> 9n);
    b = word(c + (c << 3n));
    c = word((word(c << 21n) | (c >> 11n)) + sum);
    if (round >= 12) yield Number(sum);
  }
}

test("the stream of a seed is sfc32's, on every machine", () => {
  for (const seed of [0, 1, 7, 4294967296, 0x1fedcba987654, Number.MAX_SAFE_INTEGER]) {
    const random = new Random(seed);
    assert.equal(random.seed, seed);
    const expected = sfc32(BigInt(seed));
    for (let draw = 0; draw < 100; draw++) assert.equal(random.next32(), expected.next().value);
  }
});

test("a draw below a limit is the share of the whole range that the 32 bits are", () => {
  for (const limit of [1, 2, 10, 1000, 4294967296]) {
    const [random, twin] = [new Random(5), new Random(5)];
    for (let draw = 0; draw < 50; draw++)
      assert.equal(random.below(limit), Number((BigInt(twin.next32()) * BigInt(limit)) / 4294967296n));
  }
});

test("chances: never at 0, always at 1, and at a half by the upper bit", () => {
  const [random, twin] = [new Random(9), new Random(9)];
  for (let draw = 0; draw < 200; draw++) assert.equal(random.chance(0.5), twin.next32() < 2147483648);
  for (let draw = 0; draw < 200; draw++) {
    assert.equal(random.chance(0), false);
    assert.equal(random.chance(1), true);
  }
});

test("a fork's seed is the parent's with the name's FNV-1a mixed in", () => {
  // FNV-1a of "bus", by the definition.
  let hash = 2166136261n;
  for (const letter of "bus") hash = ((hash ^ BigInt(letter.charCodeAt(0))) * 16777619n) & 0xffffffffn;
  const seed = 0x15aaaa5555ffffn;
  const low = (seed & 0xffffffffn) ^ hash;
  const high = ((seed >> 32n) ^ (hash >> 11n)) & 0x1fffffn;
  assert.equal(new Random(Number(seed)).fork("bus").seed, Number((high << 32n) | low));
});
