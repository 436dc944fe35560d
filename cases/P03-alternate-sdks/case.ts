// P03: a driver that uses nothing new does not start on a system that is older than its SDK.

import { platformProfile } from "@drydock/core/platform/platform-profile";
import type { DriverBundle } from "@drydock/core/runtime/driver-bundle";
import { Machine } from "@drydock/core/runtime/machine";
import type { CaseOptions, CaseRun, DriverCase, Side } from "../driver-case.ts";
import { badScsiBundle } from "./bad-driver.ts";
import { goodScsiBundle } from "./good-driver.ts";
import { scsiDriverFiles } from "./scsi-driver.ts";

/** macOS 15 with the DriverKit of one of its minor versions. */
export async function loadOn(
  bundle: DriverBundle,
  driverKitVersion: string,
  options: CaseOptions,
): Promise<{ readonly machine: Machine; readonly started: boolean; readonly outcome: string }> {
  const machine = new Machine({ ...options, profile: { ...platformProfile("macos15"), driverKitVersion } });
  machine.install(bundle);
  await machine.run();
  const outcome = machine.matchReports.at(-1)?.outcome ?? "nothing matched";
  return { machine, started: machine.registry.byClass("RaidController").length > 0, outcome };
}

async function run(side: Side, options: CaseOptions): Promise<CaseRun> {
  const bundle = side === "bad" ? badScsiBundle : goodScsiBundle;
  const { machine, outcome, started } = await loadOn(bundle, "24.3", options);
  return {
    succeeded: started,
    result: started ? "the driver started on macOS 15.3" : `on macOS 15.3: ${outcome}`,
    trace: null,
    log: machine.log.show(),
    evidence: [...machine.crashes.flatMap(({ evidence }) => evidence), ...scsiDriverFiles(bundle)],
  };
}

export const alternateSdksCase: DriverCase = {
  id: "P03",
  title: "A driver built with the newest SDK does not start on an older minor version",
  symptom:
    "A SCSI controller driver built with DriverKit 24.4 does not run on macOS 15.0 to 15.3, whether it uses the new feature or not.",
  cause:
    "Its class description refers to every method of the superclass that the SDK knows; the older framework does not have them, and the dynamic linker gives up.",
  describeRequests: [],
  run,
};
