// P15: a slow disk wakes behind a dext, and the kernel's 20 s are over before it turns.

import { BlockStatus } from "@drydock/core/ports/block";
import type { DriverBundle } from "@drydock/core/runtime/driver-bundle";
import { powerRehearsal } from "@drydock/core/trials/power-rehearsal";
import { changePower, firstRead, slowDisk } from "@drydock/core/trials/slow-disk";
import type { CaseOptions, CaseRun, DriverCase, Side } from "../driver-case.ts";
import { badPowerBundle } from "./bad-driver.ts";
import { goodPowerBundle } from "./good-driver.ts";

const second = 1e9;

const run = (side: Side, options: CaseOptions): Promise<CaseRun> =>
  wakeOver(side === "bad" ? badPowerBundle : goodPowerBundle, options);

/** A disk that needs 25 s, with that driver on top: put to sleep and woken. */
export async function wakeOver(bundle: DriverBundle, options: CaseOptions): Promise<CaseRun> {
  const { rig, media } = await slowDisk(bundle, 25, options);
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
    trace: rig.usb.trace,
    log: machine.log.show(),
    evidence: machine.failure?.kind === "panic" ? machine.failure.evidence : [],
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
