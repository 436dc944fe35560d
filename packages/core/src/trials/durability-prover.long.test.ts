// A good disk loses nothing in 10 000 cuts; each way of lying about a flush is caught and named.

import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../base/virtual-clock.ts";
import { type BlockClient, type BlockPort, BlockStatus, BlockSubmit } from "../ports/block.ts";
import { memoryDurabilityBench } from "./durability-benches.ts";
import { formatDurability, proveDurability } from "./durability-prover.ts";

type Wrap = (port: BlockPort, clock: VirtualClock) => BlockPort;

/** Answers flushes by itself: what a driver does that thinks the write cache off (posts.md P19). */
const swallowsFlushes: Wrap = (port, clock) => {
  let client: BlockClient | null = null;
  return {
    geometry: port.geometry,
    slotCount: port.slotCount,
    connect: (given) => {
      client = given;
      port.connect(given);
    },
    read: (...args) => port.read(...args),
    write: (...args) => port.write(...args),
    flush: (slot) => {
      clock.after(1000, () => client?.completed(slot, BlockStatus.ok), undefined);
      return BlockSubmit.accepted;
    },
    trim: (...args) => port.trim(...args),
    writeZeroes: (...args) => port.writeZeroes(...args),
  };
};

const ignoresForce: Wrap = (port) => ({
  geometry: port.geometry,
  slotCount: port.slotCount,
  connect: (client) => port.connect(client),
  read: (...args) => port.read(...args),
  write: (slot, block, blocks, buffer, offset) => port.write(slot, block, blocks, buffer, offset, false),
  flush: (slot) => port.flush(slot),
  trim: (...args) => port.trim(...args),
  writeZeroes: (...args) => port.writeZeroes(...args),
});

test("prover: 10 000 cuts, one at every step, and no acknowledged flush is lost", async () => {
  const report = await proveDurability({
    makeBench: async (seed) => memoryDurabilityBench(seed),
    seed: 1,
    cuts: 10_000,
  });
  assert.equal(report.loss, null, formatDurability(report));
  assert.equal(report.cuts, 10_000);
  assert.ok(
    report.steps.every((steps) => steps > 50),
    "there is a workload to cut",
  );
  assert.ok(report.flushes > 50_000, `${report.flushes} flushes were put to the test`);
  assert.match(formatDurability(report), /10000 power cuts .* none was lost/);
});

test("prover: it cuts at every step: the cuts of one seed are its steps and one", async () => {
  const report = await proveDurability({
    makeBench: async (seed) => memoryDurabilityBench(seed),
    seed: 3,
    cuts: 150,
    transactions: 2,
  });
  let sum = 0;
  for (const steps of report.steps.slice(0, -1)) sum += steps + 1;
  assert.ok(sum < 150 && sum + report.steps[report.steps.length - 1] + 1 >= 150);
});

test("prover: a driver that swallows flushes loses one, and the report names sector and promise", async () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const prove = () =>
      proveDurability({
        makeBench: async (which) => memoryDurabilityBench(which, swallowsFlushes),
        seed,
        cuts: 1000,
      });
    const report = await prove();
    assert.ok(report.loss !== null && report.cuts < 1000, `seed ${seed}`);
    assert.match(report.loss.promise, /^flush \d+$/);
    assert.ok(report.loss.sector >= 0 && report.loss.found < report.loss.promised);
    assert.match(formatDurability(report), /sector {4}\d+: write \d+ was promised durable by flush/);
    assert.deepEqual(await prove(), report, "the same seed finds the same");
  }
});

test("prover: a driver that forgets FUA loses a forced write", async () => {
  const report = await proveDurability({
    makeBench: async (seed) => memoryDurabilityBench(seed, ignoresForce),
    seed: 1,
    cuts: 10_000,
  });
  assert.ok(report.loss !== null);
  assert.match(report.loss.promise, /forced write of sector/);
});

test("prover: without a write cache even swallowed flushes lose nothing", async () => {
  const report = await proveDurability({
    makeBench: async (seed) => memoryDurabilityBench(seed, swallowsFlushes, { hasWriteCache: false }),
    seed: 1,
    cuts: 1000,
  });
  assert.equal(report.loss, null);
});

test("prover: a workload that cannot end says so instead of proving nothing", async () => {
  const never: Wrap = (port) => ({ ...swallowsFlushes(port, new VirtualClock()) });
  await assert.rejects(
    proveDurability({ makeBench: async (seed) => memoryDurabilityBench(seed, never), seed: 1, cuts: 10 }),
    /did not come to its end/,
  );
});
