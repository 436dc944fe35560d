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
import { everySeed, mutated } from "../test/mutated.ts";
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
