// The RAID stack under power cuts: SCSI class driver, host adapter's dext, PCI, controller, disks with caches.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { raidDurabilityBench } from "./durability-benches.ts";
import { formatDurability, proveDurability } from "./durability-prover.ts";

/** DRYDOCK_RAID_CUTS: 10000 for the endurance run. */
const cuts = Number(process.env.DRYDOCK_RAID_CUTS ?? 150);

test(`${cuts} cuts behind the host adapter: no acknowledged flush is lost`, async () => {
  const report = await proveDurability({
    makeBench: (seed) => raidDurabilityBench(seed, hostTurn, { timing: "none" }),
    seed: 16,
    cuts,
    transactions: 2,
  });
  assert.equal(report.loss, null, formatDurability(report));
  assert.equal(report.cuts, cuts);
  assert.ok(report.flushes > cuts);
});
