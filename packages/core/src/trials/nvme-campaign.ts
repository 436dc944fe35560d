// The scenarios of disks behind PCI: our NVMe controller, and two host adapters with a SCSI disk behind them.

import { defaultNvmeRig, type NvmeRigOptions } from "../rigs/nvme-rig.ts";
import { defaultRaidRig, type RaidRigOptions } from "../rigs/raid-rig.ts";
import { defaultRingHbaRig, type RingHbaRigOptions } from "../rigs/ring-hba-rig.ts";
import { type PciDiskResult, runPciDisk } from "./pci-disk-campaign.ts";
import { type ScenarioOptions, splitPlan } from "./scenario.ts";

export interface NvmeScenario
  extends Omit<ScenarioOptions, "faults">,
    Partial<Pick<NvmeRigOptions, "device" | "bundles" | "profile">> {}

export interface RaidScenario
  extends Omit<ScenarioOptions, "faults">,
    Partial<Pick<RaidRigOptions, "device" | "bundles" | "profile">> {}

export interface RingHbaScenario
  extends Omit<ScenarioOptions, "faults">,
    Partial<Pick<RingHbaRigOptions, "device" | "bundles" | "profile">> {}

export function runNvmeScenario(options: NvmeScenario): Promise<PciDiskResult> {
  const { plan, rest } = splitPlan(options);
  return runPciDisk(defaultNvmeRig(rest.seed, rest.turn, rest), plan, rest.access);
}

export function runRaidScenario(options: RaidScenario): Promise<PciDiskResult> {
  const { plan, rest } = splitPlan(options);
  return runPciDisk(defaultRaidRig(rest.seed, rest.turn, rest), plan, rest.access);
}

export function runRingHbaScenario(options: RingHbaScenario): Promise<PciDiskResult> {
  const { plan, rest } = splitPlan(options);
  return runPciDisk(defaultRingHbaRig(rest.seed, rest.turn, rest), plan, rest.access);
}
