// The small adapter's driver: a disk, broken replies, firmware that dies in each state, no leavings.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { Random } from "../../base/random.ts";
import { RingHbaState } from "../../codec/ring-hba/ring-hba.ts";
import { ringHbaMischiefKinds } from "../../devices/ring-hba/ring-hba-firmware.ts";
import { platformProfile } from "../../platform/platform-profile.ts";
import { defaultRingHbaRig, type RingHbaRig } from "../../rigs/ring-hba-rig.ts";
import { runRingHbaScenario } from "../../trials/nvme-campaign.ts";
import { type RandomWritesResult, startRandomWrites } from "../../trials/random-writes.ts";
import { unplugAtEveryStep } from "../../trials/scenario.ts";
import { describeTeardown, TeardownWatch } from "../../trials/teardown-watch.ts";

async function writes(rig: RingHbaRig, totalBytes: number): Promise<RandomWritesResult> {
  const media = await rig.openMedia();
  const results: RandomWritesResult[] = [];
  startRandomWrites(media, { random: new Random(3), totalBytes, largestBytes: 1 << 18 }, (result) => {
    results.push(result);
  });
  const { scheduler } = rig.machine;
  await scheduler.run(scheduler.nowNs() + 3600e9, () => results.length > 0);
  assert.equal(results.length, 1, "it ends");
  return results[0];
}

test("two disks come up behind it as the kernel's targets, and 8 MiB of random writes read back", async () => {
  const rig = defaultRingHbaRig(1, hostTurn, { drives: [[{ blockCount: 65_536 }], [{ blockCount: 9000 }]] });
  const result = await writes(rig, 8 << 20);
  assert.deepEqual([result.failures, result.wrongAt], [{}, null]);
  assert.deepEqual(
    rig.media.map(({ geometry }) => geometry.blockCount).sort((one, other) => one - other),
    [9000, 65_536],
  );
  assert.equal(rig.pci.iommu.refusedCount, 0);
  assert.equal(rig.family.devices[0].reads.count, 0);
});

for (const kind of ringHbaMischiefKinds)
  test(`a reply that is ${kind}: every request ends, nothing is lost, the machine lives`, async () => {
    const rig = defaultRingHbaRig(2, hostTurn, { device: { mischief: [{ kind, atCommand: 40 }] } });
    const result = await writes(rig, 2 << 20);
    assert.equal(result.wrongAt, null);
    assert.deepEqual(result.failures, {});
    assert.equal(rig.machine.failure, null);
    assert.deepEqual(rig.machine.crashes, []);
    const counters = rig.driver?.counters;
    if (kind === "twice" || kind === "wrong-tag") assert.equal(counters?.protocolErrors, 1);
    if (kind === "fault") assert.ok((counters?.resets ?? 0) >= 1);
  });

for (const [name, stuckIn] of Object.entries(RingHbaState).filter(([name]) => /booting|fault/.test(name)))
  test(`firmware that stays in ${name}: no disk, the reason in words, no mapping left`, async () => {
    const rig = defaultRingHbaRig(3, hostTurn, { device: { stuckIn } });
    await rig.machine.scheduler.run(20e9);
    assert.equal(rig.media.length, 0);
    assert.match(rig.whyNoDisk().join("; "), name === "fault" ? /adapter state.*fault/ : /still 1 after 5 s/);
    assert.equal(rig.pci.iommu.mappings.size, 0);
    assert.equal(rig.machine.failure, null);
  });

test("pulled with requests under way and put in again: nothing stays mapped, a disk is there", async () => {
  const rig = defaultRingHbaRig(4, hostTurn);
  const media = await rig.openMedia();
  const ended: number[] = [];
  media.connect({ completed: (slot) => ended.push(slot), detached: () => {} });
  for (let slot = 0; slot < 20; slot++) media.write(slot, slot * 8, 8, new Uint8Array(4096), 0, false);
  rig.machine.scheduler.after(30_000, () => rig.pci.bus.unplug(1), undefined);
  await rig.machine.scheduler.run(rig.machine.scheduler.nowNs() + 30e9);
  assert.equal(ended.length, 20);
  assert.equal(rig.pci.iommu.mappings.size, 0);
  assert.equal(rig.machine.failure, null);
  rig.pci.bus.plugIn(rig.device, 1);
  assert.equal((await rig.openMedia()).geometry.blockCount, 131_072);
});

test("unplug at every seventh step on Apple silicon: no panic, no leak, nothing left", async () => {
  const profile = { ...platformProfile("macos15"), checksEntitlements: false };
  const campaign = await unplugAtEveryStep(
    (unplugAtStep) => runRingHbaScenario({ seed: 16, turn: hostTurn, profile, unplugAtStep }),
    7,
  );
  assert.ok(campaign.steps > 200, `${campaign.steps} steps`);
  assert.deepEqual(campaign.failures, []);
});

test("an orderly end: engine off, bus master off, read back, then the mappings go", async () => {
  const rig = defaultRingHbaRig(5, hostTurn);
  await writes(rig, 1 << 20);
  const { driver } = rig;
  assert.ok(driver !== null);
  const watch = new TeardownWatch(rig.machine.scheduler, rig.pci, rig.device);
  rig.machine.terminate(driver);
  await rig.machine.run();
  assert.equal(watch.report().windowNs, 0, describeTeardown(watch.report()));
  assert.equal(rig.pci.iommu.mappings.size, 0);
  assert.equal(rig.device.isEngineOn, false);
});
