// The NVMe rig's scenario: a disk behind PCI, used and pulled at any step; no mapping, wait or entry may stay.

import { defaultNvmeRig, type NvmeRig, type NvmeRigOptions } from "../rigs/nvme-rig.ts";
import { pciDigest } from "../rigs/pci-rig.ts";
import { type DiskOutcome, diskPatienceNs, useDisk } from "./disk-program.ts";
import { type PciFindings, PciWatch } from "./pci-watch.ts";
import {
  makeLeave,
  runScenario,
  type ScenarioOptions,
  type ScenarioProgram,
  type ScenarioResult,
  splitPlan,
} from "./scenario.ts";

export interface NvmeScenario
  extends Omit<ScenarioOptions, "faults">,
    Partial<Pick<NvmeRigOptions, "device" | "bundles" | "profile">> {}

/** An NVMe device in slot 1 that leaves with its cable; afterwards the IOMMU maps nothing. */
export function nvmeEnd(
  rig: NvmeRig,
): Pick<
  ScenarioProgram<NvmeRig, string>,
  "rig" | "unplug" | "replug" | "isUp" | "leave" | "mustLeave" | "afterwards"
> {
  return {
    rig,
    unplug: () => rig.pci.bus.unplug(1),
    replug: () => rig.pci.bus.plugIn(rig.device, 1),
    isUp: () => rig.media.length > 0,
    leave: (way) => void rig.family.devices.some((device) => makeLeave(rig.machine, device, way)),
    mustLeave: /^IO(PCIDevice|Media|UserBlock)/,
    afterwards: (problems) => {
      const left = [...rig.pci.iommu.mappings];
      if (left.length > 0) problems.push(`${left.length} mappings are left, ${left[0]} first`);
    },
  };
}

/** Plug in, come up, write, flush, read back, unplug, end. What is read as good is right. */
export async function runNvmeScenario(
  options: NvmeScenario,
): Promise<ScenarioResult<DiskOutcome> & { readonly pci: PciFindings }> {
  const { plan, rest } = splitPlan(options);
  const rig = defaultNvmeRig(rest.seed, rest.turn, rest);
  const watch = new PciWatch(rig, rig.device);
  const { scheduler } = rig.machine;
  const result = await runScenario(
    {
      ...nvmeEnd(rig),
      stepLimit: 300_000,
      play: async (problems) => {
        await scheduler.run(diskPatienceNs, () => rig.media.length > 0);
        const [media] = rig.media;
        if (media === undefined || scheduler.isStopped) return "no disk";
        return useDisk(scheduler, media, false, problems);
      },
      digest: () => pciDigest(rig),
    },
    plan,
  );
  return { ...result, pci: watch.findings() };
}
