// Mutated files of every kind by the board's own path, as its server reads what people hand in: an end each time.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "@drydock/core/base/random";
import { everySeed, mutated } from "@drydock/doctor/test/mutated";
import { readEvidence } from "./evidence-reading.ts";

/** 1,000,000: `npm run endurance -- board-mutations`. */
const rounds = Number(process.env.DRYDOCK_BOARD_MUTATIONS ?? 1000);
/** Bytes that a thread may keep beyond what it began with. */
const mostGrowth = 192 << 20;
const heldBytes = () => {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

test(`5.3: ${rounds} mutated files, read, redacted and diagnosed as the server does: no crash, and what is kept is text`, {
  timeout: 6 * 3_600_000,
}, async (t) => {
  const random = new Random(1300);
  const before = heldBytes();
  let [kept, refused, known] = [0, 0, 0];
  for (let round = 0; round < rounds; round++) {
    const seed = everySeed[random.below(everySeed.length)];
    const bytes = mutated(random, seed);
    const read = await readEvidence([{ name: `handed-in-${round}`, bytes }], "2026-12-01").catch((error) => {
      throw new Error(`round ${round}`, { cause: error });
    });
    assert.ok(
      bytes.length === 0 || read.files.length + read.refused.length > 0,
      `round ${round}: neither kept nor refused`,
    );
    for (const file of read.files) {
      assert.equal(typeof JSON.parse(file.marked), "object");
      assert.equal(new TextDecoder("utf-8", { fatal: true }).decode(file.bytes).length > 0, true);
    }
    for (const line of read.refused) assert.doesNotMatch(line, /[\p{Cc}\u202e]/u, `round ${round}`);
    kept += read.files.length;
    refused += read.refused.length;
    if (read.reading.isKnown) known++;
  }
  t.diagnostic(
    `${rounds} files: ${kept} texts kept, ${refused} refused with the reason, ${known} that the doctor knew`,
  );
  assert.ok(kept > 0 && refused > 0);
  const growth = heldBytes() - before;
  assert.ok(growth < mostGrowth, `memory grew by ${growth >> 20} MiB`);
});
