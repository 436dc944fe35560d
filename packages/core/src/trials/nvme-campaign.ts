// The scenarios of disks behind PCI: our NVMe controller, and our RAID controller with a SCSI disk behind it.

import { defaultNvmeRig, type NvmeRigOptions } from "../rigs/nvme-rig.ts";
import { defaultRaidRig, type RaidRigOptions } from "../rigs/raid-rig.ts";
import { type PciDiskResult, runPciDisk } from "./pci-disk-campaign.ts";
import { type ScenarioOptions, splitPlan } from "./scenario.ts";

export interface NvmeScenario
  extends Omit<ScenarioOptions, "faults">,
    Partial<Pick<NvmeRigOptions, "device" | "bundles" | "profile">> {}

export interface RaidScenario
  extends Omit<ScenarioOptions, "faults">,
    Partial<Pick<RaidRigOptions, "device" | "bundles" | "profile">> {}

export function runNvmeScenario(options: NvmeScenario): Promise<PciDiskResult> {
  const { plan, rest } = splitPlan(options);
  return runPciDisk(defaultNvmeRig(rest.seed, rest.turn, rest), plan);
}

export function runRaidScenario(options: RaidScenario): Promise<PciDiskResult> {
  const { plan, rest } = splitPlan(options);
  return runPciDisk(defaultRaidRig(rest.seed, rest.turn, rest), plan);
}
