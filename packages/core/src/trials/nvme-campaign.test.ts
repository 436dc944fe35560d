// The NVMe driver under everything that can go wrong: unplug at every step, broken controllers, hostile completions.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { type NvmeMischiefKind, nvmeMischiefKinds } from "../devices/nvme/nvme-mischief.ts";
import { platformProfile } from "../platform/platform-profile.ts";
import { defaultNvmeRig } from "../rigs/nvme-rig.ts";
import { runNvmeScenario } from "./nvme-campaign.ts";
import { unplugAtEveryStep } from "./scenario.ts";

const turn = hostTurn;

test("unplug at every step on Apple silicon: no panic, no leak, nothing left", async () => {
  const profile = platformProfile("macos15");
  // Pages and panics are the profile's; entitlements are not what this is about.
  const open = { ...profile, checksEntitlements: false };
  const campaign = await unplugAtEveryStep((unplugAtStep) =>
    runNvmeScenario({ seed: 15, turn, profile: open, unplugAtStep }),
  );
  assert.ok(campaign.steps > 250, `${campaign.steps} steps`);
  assert.equal(campaign.explored, campaign.steps);
  assert.deepEqual(campaign.failures, []);
  assert.ok((campaign.outcomes.gone ?? 0) > 20 && (campaign.outcomes["no disk"] ?? 0) > 20);
});

test("the same seed is the same run, another seed another", async () => {
  const [first, second, other] = [
    await runNvmeScenario({ seed: 7, turn }),
    await runNvmeScenario({ seed: 7, turn }),
    await runNvmeScenario({ seed: 8, turn }),
  ];
  assert.equal(first.outcome, "verified");
  assert.deepEqual(first, second);
  assert.notEqual(first.digest, other.digest);
});

/** What the driver makes of each; `failed`: the request ended with an error, as it must. */
const verdicts: Readonly<Record<NvmeMischiefKind, readonly string[]>> = {
  "wrong-phase": ["verified"],
  "wrong-id": ["verified"],
  "wrong-queue": ["verified"],
  duplicate: ["verified"],
  "head-stuck": ["verified"],
  "lost-interrupt": ["verified"],
  silent: ["verified"],
  fatal: ["verified"],
  "stray-write": ["verified"],
  "stray-read": ["verified"],
  error: ["verified"],
  // Command 5 is the flush, whose failure the program does not count.
  "final-error": ["failed", "verified"],
};

for (const kind of nvmeMischiefKinds) {
  test(`a controller with "${kind}": every request ends once, and the driver goes on`, async () => {
    for (let seed = 1; seed <= 4; seed++) {
      for (const atCommand of [1, 3, 5, 8]) {
        const device = { mischief: [{ kind, atCommand }] };
        const result = await runNvmeScenario({ seed, turn, device });
        assert.deepEqual(result.problems, [], `seed ${seed}, command ${atCommand}`);
        assert.ok(verdicts[kind].includes(result.outcome), `seed ${seed}: ${result.outcome}`);
      }
    }
  });
}

test("a controller that breaks for ever: requests fail, nothing hangs, the host lives", async () => {
  for (const kind of ["silent", "fatal", "wrong-id", "error"] as const) {
    const device = { mischief: [{ kind, atCommand: 2, count: 1_000_000 }] };
    const result = await runNvmeScenario({ seed: 3, turn, device });
    assert.deepEqual(result.problems, [], kind);
    assert.notEqual(result.outcome, "verified", kind);
  }
});

test("a controller that never becomes ready is refused in Start, with the reason", async () => {
  const rig = defaultNvmeRig(5, turn, { device: { isNeverReady: true } });
  await assert.rejects(rig.openMedia(), /Start failed with .*e00002d6/);
  assert.equal(rig.pci.iommu.mappings.size, 0);
});

test("stray accesses are in the ledger and change nothing", async () => {
  const rig = defaultNvmeRig(6, turn, {
    device: { mischief: [{ kind: "stray-write", atCommand: 1, count: 3 }] },
  });
  const media = await rig.openMedia();
  let done = 0;
  media.connect({ completed: () => done++, detached: () => {} });
  for (let slot = 0; slot < 3; slot++) media.write(slot, slot * 8, 8, new Uint8Array(4096), 0, false);
  await rig.machine.run(rig.machine.scheduler.nowNs() + 1e9);
  assert.equal(done, 3);
  assert.equal(rig.pci.iommu.refusedCount, 3);
  assert.ok(rig.pci.iommu.refusals.every(({ isWrite, lengthBytes }) => isWrite && lengthBytes === 64));
});
