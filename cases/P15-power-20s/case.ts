// P15: a slow disk wakes behind a dext, and the kernel's 20 s are over before it turns.

import { massStorageBundle } from "@drydock/core/drivers/mass-storage/mass-storage-driver";
import type { IOMedia } from "@drydock/core/families/block/io-media";
import { BlockStatus } from "@drydock/core/ports/block";
import { powerRehearsal } from "@drydock/core/rigs/power-rehearsal";
import { StorageRig } from "@drydock/core/rigs/storage-rig";
import type { DriverBundle } from "@drydock/core/runtime/driver-bundle";
import { platformProfile } from "@drydock/core/runtime/platform-profile";
import type { CaseOptions, CaseRun, DriverCase, Side } from "../casebook.ts";
import { badPowerBundle } from "./bad-driver.ts";
import { goodPowerBundle } from "./good-driver.ts";

const second = 1e9;
/** No transition and no spin-up of this case takes longer. */
const patienceNs = 200 * second;

/** A disk that needs `spinUpSeconds`, with `bundle` on top; null: Apple's class driver alone, as under a kext. */
export async function slowDisk(
  bundle: DriverBundle | null,
  spinUpSeconds: number,
  options: CaseOptions,
): Promise<{ rig: StorageRig; media: IOMedia }> {
  const rig = new StorageRig({
    ...options,
    profile: platformProfile("macos15"),
    // Bus-powered with the machine on: the spindle turns already when it is plugged in.
    units: [{ blockCount: 131_072, spinUpNs: spinUpSeconds * second }],
    bundles: [massStorageBundle(), ...(bundle === null ? [] : [bundle])],
  });
  const { scheduler } = rig.machine;
  await scheduler.run(patienceNs, () => rig.media.length > 0);
  return { rig, media: await rig.openMedia() };
}

/** Sleeps or wakes the system, and waits until that is over or the machine is. */
export async function changePower(rig: StorageRig, state: "sleep" | "wake"): Promise<void> {
  const { machine } = rig;
  const target = state === "sleep" ? 0 : 2;
  machine.setSystemPower(state);
  await machine.run(machine.scheduler.nowNs() + second / 1000);
  const joined = [...machine.registry.entries()].filter((entry) => entry.powerState !== null);
  await machine.scheduler.run(
    machine.scheduler.nowNs() + patienceNs,
    () => machine.failure !== null || joined.every((entry) => entry.powerState === target),
  );
}

/** Reads the first block: its status and the virtual nanoseconds it took. */
export async function firstRead(
  rig: StorageRig,
  media: IOMedia,
): Promise<{ status: BlockStatus | null; tookNs: number }> {
  const { scheduler } = rig.machine;
  const started = scheduler.nowNs();
  let status: BlockStatus | null = null;
  media.connect({
    completed: (_slot, answer) => {
      status = answer;
    },
    detached: () => {},
  });
  media.read(0, 0, 1, new Uint8Array(512), 0);
  await scheduler.run(started + patienceNs, () => status !== null);
  return { status, tookNs: scheduler.nowNs() - started };
}

async function run(side: Side, options: CaseOptions): Promise<CaseRun> {
  const { rig, media } = await slowDisk(side === "bad" ? badPowerBundle : goodPowerBundle, 25, options);
  await changePower(rig, "sleep");
  await changePower(rig, "wake");
  const { machine } = rig;
  const read = machine.failure === null ? await firstRead(rig, media) : null;
  const wake = powerRehearsal(machine).at(-1) ?? "no transition";
  return {
    succeeded: read?.status === BlockStatus.ok,
    result:
      read === null
        ? wake
        : `${wake}; the first read waited ${(read.tookNs / second).toFixed(1)} s and ended with status ${read.status}`,
    trace: rig.trace,
    log: machine.log.show(),
  };
}

export const power20sCase: DriverCase = {
  id: "P15",
  title: "kernel panic when setPowerState exceeds 20 seconds",
  symptom:
    "With some large disks the Mac panics at wake, with a dext only; with a kext the same disk is fine.",
  cause:
    "A hosted service has 20 s from SetPowerState to super's; the class driver's spin-up runs inside them, and its own 100 s count for a kext only.",
  describeRequests: [],
  run,
};
