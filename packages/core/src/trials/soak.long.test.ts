// The soak at length: twelve virtual hours of NVMe and of RAID, and plug cycles under load that must leak nothing.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { findRig, type RigEntry } from "../rigs/catalogue.ts";
import { formatSoak, soak, soakOptions } from "./soak.ts";

const nvme = findRig("nvme") as RigEntry;
/** DRYDOCK_SOAK_PLUGS: 10000 for the endurance run. */
const plugs = Number(process.env.DRYDOCK_SOAK_PLUGS ?? 1000);

for (const name of ["nvme", "raid"])
  test(`twelve virtual hours of ${name} at 10,000 requests an hour: nothing lost, nothing leaked`, async () => {
    const plan = { seed: 12, hours: 12, perHour: 10_000, plugEvery: 600 };
    const result = await soak(soakOptions(findRig(name) as RigEntry, plan, hostTurn));
    assert.equal(result.problem, null);
    assert.equal(result.done, 120_000);
    assert.ok(result.virtualNs >= 12 * 3600e9 - 1e9);
    console.log(formatSoak(result));
  });

test(`${plugs} plug cycles with four writes under way: mappings back to zero, entries and threads as at first`, async () => {
  const plan = { seed: 13, hours: plugs / 1000, perHour: 2000, plugEvery: 2 };
  const result = await soak(soakOptions(nvme, plan, hostTurn));
  assert.equal(result.problem, null);
  assert.equal(result.plugs, plugs);
  console.log(formatSoak(result));
});
