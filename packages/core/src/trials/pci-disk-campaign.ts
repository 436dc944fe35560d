// A disk behind PCI, used and pulled at any step; no mapping, wait or entry may stay. For NVMe and RAID alike.

import type { IOMedia } from "../families/block/io-media.ts";
import type { CountedRun } from "../faults/counted-run.ts";
import type { PciDevicePort } from "../ports/pci-device.ts";
import { type PciRigParts, pciDigest } from "../rigs/pci-rig.ts";
import { type DiskOutcome, diskPatienceNs, useDisk } from "./disk-program.ts";
import { type PciFindings, PciWatch } from "./pci-watch.ts";
import {
  makeLeave,
  runScenario,
  type ScenarioPlan,
  type ScenarioProgram,
  type ScenarioResult,
} from "./scenario.ts";

export interface PciDiskRig extends PciRigParts {
  readonly device: PciDevicePort;
  readonly media: readonly IOMedia[];
}

export type PciDiskResult = ScenarioResult<DiskOutcome> & { readonly pci: PciFindings };

/** A device in slot 1 that leaves with its cable; afterwards the IOMMU maps nothing. */
export function pciDiskEnd(
  rig: PciDiskRig,
): Pick<
  ScenarioProgram<PciDiskRig, string>,
  "rig" | "unplug" | "replug" | "isUp" | "leave" | "mustLeave" | "afterwards"
> {
  return {
    rig,
    unplug: () => rig.pci.bus.unplug(1),
    replug: () => rig.pci.bus.plugIn(rig.device, 1),
    isUp: () => rig.media.length > 0,
    leave: (way) => void rig.family.devices.some((device) => makeLeave(rig.machine, device, way)),
    mustLeave: /^IO(PCIDevice|Media|UserBlock|SCSI|UserSCSI)/,
    afterwards: (problems) => {
      const left = [...rig.pci.iommu.mappings];
      if (left.length > 0) problems.push(`${left.length} mappings are left, ${left[0]} first`);
    },
  };
}

/** Plug in, come up, write, flush, read back, unplug, end. What is read as good is right. */
export async function runPciDisk(
  rig: PciDiskRig,
  plan: ScenarioPlan,
  access?: CountedRun,
): Promise<PciDiskResult> {
  const watch = new PciWatch(rig, rig.device);
  const { scheduler } = rig.machine;
  const result = await runScenario(
    {
      ...pciDiskEnd(rig),
      stepLimit: 300_000,
      play: async (problems) => {
        await scheduler.run(diskPatienceNs, () => rig.media.length > 0);
        const [media] = rig.media;
        if (media === undefined || scheduler.isStopped) return "no disk";
        return useDisk(scheduler, media, access?.mayLie ?? false, problems);
      },
      digest: () => pciDigest(rig),
    },
    plan,
  );
  return { ...result, pci: watch.findings() };
}
