// The scanner against a plain search: every occurrence, at any alignment, in any case, and nothing else.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "@drydock/core/base/random";
import { NeedleScanner } from "./needle-scanner.ts";

const rounds = 1500;

function plainSearch(needles: readonly string[], text: string, from: number): string[] {
  const low = text.toLowerCase();
  return needles.flatMap((needle, index) => {
    const found: string[] = [];
    for (let at = low.indexOf(needle, from); at >= 0; at = low.indexOf(needle, at + 1))
      found.push(`${index}:${at}`);
    return found;
  });
}

test(`${rounds} sets of needles find what a plain search finds`, () => {
  const random = new Random(3);
  let total = 0;
  for (let round = 0; round < rounds; round++) {
    const letters = round % 2 === 0 ? "abAB0 :" : "aB0";
    const word = (length: number) =>
      Array.from({ length }, () => letters[random.below(letters.length)]).join("");
    const needles = [
      ...new Set(
        Array.from({ length: random.between(1, 8) }, () => word(random.between(4, 10)).toLowerCase()),
      ),
    ];
    const text = word(random.between(0, 400));
    const shift = random.below(4);
    const whole = new Uint8Array(text.length + shift + random.below(5));
    for (let index = 0; index < text.length; index++) whole[shift + index] = text.charCodeAt(index);
    const from = Math.min(random.below(5), text.length);
    const found: string[] = [];
    new NeedleScanner(needles).scan(whole.subarray(shift), from, text.length, (needle, at) =>
      found.push(`${needle}:${at}`),
    );
    const wanted = plainSearch(needles, text, from);
    total += wanted.length;
    assert.deepEqual(found.sort(), wanted.sort(), `round ${round}`);
  }
  assert.ok(total > 500, "the sets do occur");
});

test("a needle that is too short, or not ASCII, is refused", () => {
  assert.throws(() => new NeedleScanner(["two"]), /four or more/);
  assert.throws(() => new NeedleScanner(["lätter"]), /ASCII/);
});
