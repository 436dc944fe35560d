// The NVMe stack under the durability prover: no acknowledged flush is lost; a controller that lies is named.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { nvmeDurabilityBench } from "./durability-benches.ts";
import { formatDurability, proveDurability } from "./durability-prover.ts";

/** DRYDOCK_NVME_CUTS: 10000 for the endurance run. */
const cuts = Number(process.env.DRYDOCK_NVME_CUTS ?? 300);

test(`nvme: no acknowledged flush is lost in ${cuts} cuts`, async () => {
  const report = await proveDurability({
    makeBench: (seed) => nvmeDurabilityBench(seed, hostTurn),
    seed: 1,
    cuts,
    transactions: 2,
  });
  assert.equal(report.loss, null, formatDurability(report));
  assert.ok(report.flushes > cuts);
});

test("nvme: a controller that acknowledges flushes and keeps nothing is found, and no layer of the host is blamed", async () => {
  const report = await proveDurability({
    makeBench: (seed) => nvmeDurabilityBench(seed, hostTurn, { liesAboutFlush: true }),
    seed: 1,
    cuts: 1000,
    transactions: 4,
  });
  assert.ok(report.loss !== null, "within the first 1000 cuts");
  assert.match(report.loss.promise, /^flush \d+$/);
  assert.equal(report.loss.ledger?.guilty, null);
  assert.match(formatDurability(report), /layer {5}below the host: every flush went down to the target/);
});
