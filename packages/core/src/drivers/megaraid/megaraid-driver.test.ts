// The MegaRAID driver on our model: contract, firmware in each state, broken firmware, drives that come and go.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { Random } from "../../base/random.ts";
import { MfiState } from "../../codec/mfi/mfi.ts";
import { type RaidMischiefKind, raidMischiefKinds } from "../../devices/megaraid/megaraid-mischief.ts";
import { ScsiDiskDevice } from "../../devices/scsi-disk/scsi-disk-device.ts";
import { platformProfile } from "../../platform/platform-profile.ts";
import { defaultRaidRig, type RaidRigOptions } from "../../rigs/raid-rig.ts";
import { runRaidScenario } from "../../trials/nvme-campaign.ts";
import { type RandomWritesResult, startRandomWrites } from "../../trials/random-writes.ts";
import { unplugAtEveryStep } from "../../trials/scenario.ts";
import { megaRaidBundle } from "./megaraid-bundle.ts";
import { NativeIoMegaRaidDriver } from "./megaraid-driver.ts";

const turn = hostTurn;
const rigWith = (options: Partial<RaidRigOptions> = {}, seed = 1) => defaultRaidRig(seed, turn, options);

for (const generation of ["1078", "gen2"] as const) {
  test(`${generation}: 8 MiB of random writes are read back; the driver counts no error`, async () => {
    const rig = rigWith({ device: { generation } });
    const media = await rig.openMedia();
    let result: RandomWritesResult | null = null;
    const ended = (found: RandomWritesResult): void => {
      result = found;
    };
    startRandomWrites(media, { random: new Random(3), totalBytes: 8 << 20 }, ended);
    await rig.machine.scheduler.run(Number.POSITIVE_INFINITY, () => result !== null);
    const { failures, wrongAt } = result as unknown as RandomWritesResult;
    assert.deepEqual({ failures, wrongAt }, { failures: {}, wrongAt: null });
    assert.equal(rig.driver?.counters.protocolErrors, 0);
    assert.equal(rig.pci.iommu.refusedCount, 0);
  });
}

test("plain reads and writes without CDBs: 8 MiB are read back, and the controller saw no CDB for them", async () => {
  const rig = rigWith({ bundles: [megaRaidBundle(NativeIoMegaRaidDriver)] });
  const media = await rig.openMedia();
  const before = rig.device.nativeCount;
  const found: RandomWritesResult[] = [];
  startRandomWrites(
    media,
    { random: new Random(3), totalBytes: 8 << 20 },
    (result) => void found.push(result),
  );
  await rig.machine.scheduler.run(Number.POSITIVE_INFINITY, () => found.length > 0);
  assert.deepEqual([found[0].failures, found[0].wrongAt], [{}, null]);
  assert.ok(rig.device.nativeCount - before > 100, `${rig.device.nativeCount - before} frames`);
  assert.equal(rig.driver?.counters.protocolErrors, 0);
});

test("a tool asks the disk behind a logical drive: INQUIRY past it; a drive that is not there, a command that fails", async () => {
  const rig = rigWith();
  await rig.openMedia();
  const { driver, machine } = rig;
  assert.ok(driver !== null);
  await machine.perform(async () => {
    assert.deepEqual(await driver.physicalDrives(), [{ id: 0, type: 0 }]);
    const answer = await driver.physicalCommand(0, [0x12, 0, 0, 0, 36, 0], 36);
    assert.equal(answer[3] & 0xf, 2);
    await assert.rejects(driver.physicalCommand(0x900, [0x12, 0, 0, 0, 36, 0], 36), /device not found/);
    await assert.rejects(driver.physicalCommand(0, [0xc1, 0, 0, 0, 0, 0], 0), /scsi error, SCSI status 2/);
    await assert.rejects(driver.physicalCommand(0, [0x12], 36));
  });
});

test("unplug at every step on Apple silicon: no panic, no leak, nothing left", async () => {
  const profile = { ...platformProfile("macos15"), checksEntitlements: false };
  const campaign = await unplugAtEveryStep(
    (unplugAtStep) => runRaidScenario({ seed: 16, turn, profile, unplugAtStep }),
    3,
  );
  assert.ok(campaign.steps > 350, `${campaign.steps} steps`);
  assert.deepEqual(campaign.failures, []);
  assert.ok((campaign.outcomes.gone ?? 0) > 10 && (campaign.outcomes["no disk"] ?? 0) > 10);
});

/** What the program sees at most; every request ends once, nothing leaks, the host lives. */
const verdicts: Readonly<Record<RaidMischiefKind, readonly string[]>> = {
  twice: ["verified"],
  never: ["verified", "failed"],
  "wrong-context": ["verified"],
  error: ["verified", "failed", "no disk"],
  fault: ["verified", "failed", "no disk"],
  "lost-interrupt": ["verified", "failed"],
  "stray-write": ["verified"],
  "event-storm": ["verified"],
};

for (const kind of raidMischiefKinds) {
  test(`firmware with "${kind}": every request ends once, and the driver stays in its contract`, async () => {
    for (const atCommand of [1, 4, 9, 12]) {
      const result = await runRaidScenario({
        seed: atCommand,
        turn,
        device: { mischief: [{ kind, atCommand }] },
      });
      assert.deepEqual(result.problems, [], `command ${atCommand}`);
      assert.ok(verdicts[kind].includes(result.outcome), `command ${atCommand}: ${result.outcome}`);
    }
  });
}

test("firmware that is stuck in each of its states is named in the log, and nothing stays mapped", async () => {
  const startStates = [
    MfiState.boot,
    MfiState.init,
    MfiState.waitHandshake,
    MfiState.deviceScan,
    MfiState.bootMessage,
  ];
  const good = rigWith({ device: { startStates } });
  await good.openMedia();
  for (const stuckIn of [...startStates, MfiState.fault]) {
    const rig = rigWith({ device: { startStates: [...startStates, MfiState.fault], stuckIn } });
    await assert.rejects(
      rig.openMedia(),
      /UserInitializeController failed with 0xe000[0-9a-f]{4}: .*MegaRAID state/,
    );
    assert.equal(rig.pci.iommu.mappings.size, 0, `state ${stuckIn}`);
    assert.equal(rig.machine.failure, null);
  }
});

test("a drive is deleted and another one created: its disk goes, the other comes, by events", async () => {
  const rig = rigWith();
  await rig.openMedia();
  const { scheduler } = rig.machine;
  rig.device.removeDrive(0);
  await scheduler.run(scheduler.nowNs() + 5e9, () => rig.media.length === 0);
  assert.equal(rig.media.length, 0);
  const clock = scheduler;
  rig.device.addDrive(5, new ScsiDiskDevice({ clock, random: new Random(9), units: [{ blockCount: 4096 }] }));
  await scheduler.run(scheduler.nowNs() + 5e9, () => rig.media.length === 1);
  assert.equal(rig.media[0]?.geometry.blockCount, 4096);
  assert.deepEqual([...rig.scsi.controllers[0].targets.keys()], [5]);
  assert.ok((rig.driver?.counters.events ?? 0) >= 2);
});

test("four drives are four disks, each with its own contents", async () => {
  const rig = rigWith({ drives: [1000, 2000, 3000, 4000].map((blockCount) => [{ blockCount }]) });
  const media = await rig.openMedia(3);
  assert.ok(media !== undefined);
  assert.deepEqual(
    rig.media.map(({ geometry }) => geometry.blockCount).sort((one, other) => one - other),
    [1000, 2000, 3000, 4000],
  );
});
