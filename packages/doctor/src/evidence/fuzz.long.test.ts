// Each reader against mutated files of its kind: an end each time, and memory that does not grow.
//
// DRYDOCK_FUZZ=1000000 npm run test:unit -- fuzz.long runs a million for each reader; npm run endurance --
// doctor-mutations a million for each of the newer ones and for redact.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "@drydock/core/base/random";
import { defaultLimits, sourceOfBytes } from "../facts/evidence-source.ts";
import { redactFile } from "../redaction/redacted-file.ts";
import { RedactionLedger } from "../redaction/redacted-text.ts";
import { seeds } from "../test/seeds.ts";
import { collectEvidence } from "./collect.ts";
import type { Watch } from "./watch.ts";

const newer = process.env.DRYDOCK_FUZZ_NEW;
const rounds = Number(newer ?? process.env.DRYDOCK_FUZZ ?? 2000);
/** A small file has to be read within this, whatever it claims about itself. Bytes. */
const mostGrowth = 192 << 20;
/** A seed may claim to unpack to anything. */
const limits = { ...defaultLimits, unpackedBytes: 1 << 20 };
const nothing: readonly Watch[] = [];
const everySeed = Object.values(seeds);

/** Flips, cuts, doubles, inserts, numbers that explode, and pieces of other kinds of file. */
function mutated(random: Random, seed: Uint8Array): Uint8Array {
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

/** Refusals name what to do; anything else that is thrown is a fault. */
test(`${rounds} mutated files, redacted: an end each time, and nothing but a refusal is thrown`, async () => {
  const random = new Random(900);
  const before = process.memoryUsage();
  let refused = 0;
  for (let round = 0; round < rounds; round++) {
    const seed = everySeed[random.below(everySeed.length)];
    try {
      await redactFile("x", mutated(random, seed), new RedactionLedger());
    } catch (error) {
      if (!(error instanceof RangeError)) throw new Error(`round ${round}`, { cause: error });
      refused++;
    }
  }
  assert.ok(refused < rounds);
  const after = process.memoryUsage();
  const growth = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
  assert.ok(growth < mostGrowth, `memory grew by ${growth >> 20} MiB`);
});

Object.entries(seeds).forEach(([name, seed], index) => {
  if (newer !== undefined && !/package|cpio|link type/.test(name)) return;
  test(`${rounds} mutated files, ${name}: read to an end each time`, async () => {
    const random = new Random(1000 + index);
    const before = process.memoryUsage();
    for (let round = 0; round < rounds; round++) {
      const { files } = await collectEvidence([sourceOfBytes("x", mutated(random, seed))], nothing, limits);
      if (files.length === 0) assert.fail(`round ${round}: no file came back`);
    }
    const after = process.memoryUsage();
    const growth = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
    assert.ok(growth < mostGrowth, `memory grew by ${growth >> 20} MiB`);
  });
});
