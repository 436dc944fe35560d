// The NVMe rig's scenario: a disk behind PCI, used and pulled at any step; no mapping, wait or entry may stay.

import { defaultNvmeRig, type NvmeRig, type NvmeRigOptions } from "../rigs/nvme-rig.ts";
import { pciDigest } from "../rigs/pci-rig.ts";
import { type DiskOutcome, diskPatienceNs, useDisk } from "./disk-program.ts";
import { runScenario, type ScenarioOptions, type ScenarioProgram, type ScenarioResult } from "./scenario.ts";

export interface NvmeScenario
  extends Omit<ScenarioOptions, "faults">,
    Partial<Pick<NvmeRigOptions, "device" | "bundles" | "profile">> {}

/** An NVMe device in slot 1 that leaves with its cable; afterwards the IOMMU maps nothing. */
export function nvmeEnd(
  rig: NvmeRig,
): Pick<ScenarioProgram<NvmeRig, string>, "rig" | "unplug" | "mustLeave" | "afterwards"> {
  return {
    rig,
    unplug: () => rig.pci.bus.unplug(1),
    mustLeave: /^IO(PCIDevice|Media|UserBlock)/,
    afterwards: (problems) => {
      const left = [...rig.pci.iommu.mappings];
      if (left.length > 0) problems.push(`${left.length} mappings are left, ${left[0]} first`);
    },
  };
}

/** Plug in, come up, write, flush, read back, unplug, end. What is read as good is right. */
export async function runNvmeScenario(options: NvmeScenario): Promise<ScenarioResult<DiskOutcome>> {
  const { seed, turn, unplugAtStep, ...rest } = options;
  const rig = defaultNvmeRig(seed, turn, rest);
  const { scheduler } = rig.machine;
  return runScenario(
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
    unplugAtStep,
  );
}
