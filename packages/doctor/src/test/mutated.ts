// Whole files of every kind that a reader takes, damaged by a drawn number: what fuzzing hands over.

import type { Random } from "@drydock/core/base/random";
import { seeds } from "./seeds.ts";

export const everySeed: readonly Uint8Array[] = Object.values(seeds);

/** Flips, cuts, doubles, inserts, numbers that explode, and pieces of other kinds of file. */
export function mutated(random: Random, seed: Uint8Array): Uint8Array {
  let bytes: Uint8Array = seed.slice();
  for (let change = random.between(1, 6); change > 0 && bytes.length > 0; change--) {
    const at = random.below(bytes.length);
    const length = random.below(Math.min(64, bytes.length - at)) + 1;
    const kind = random.below(8);
    if (kind <= 2) bytes[at] = random.below(256);
    else if (kind === 3) bytes = bytes.slice(0, at);
    else if (kind === 4) bytes = spliced(bytes, at, 0, bytes.subarray(at, at + length));
    else if (kind === 5) bytes.fill(random.chance(0.5) ? 0xff : 0x39, at, at + length);
    else if (kind === 6) bytes = spliced(bytes, at, length, new Uint8Array(0));
    else {
      const other = everySeed[random.below(everySeed.length)];
      const from = random.below(other.length);
      bytes = spliced(bytes, at, 0, other.subarray(from, from + random.below(64)));
    }
  }
  return bytes;
}

function spliced(bytes: Uint8Array, at: number, away: number, put: Uint8Array): Uint8Array {
  const result = new Uint8Array(bytes.length - away + put.length);
  result.set(bytes.subarray(0, at));
  result.set(put, at);
  result.set(bytes.subarray(at + away), at + put.length);
  return result;
}
