// The NVMe rig: machine, PCI bus, our NVMe model or another's, our driver, and the disk it is.

import { NvmeDevice, type NvmeDeviceOptions } from "../devices/nvme/nvme-device.ts";
import { NvmeDriver, nvmeBundle } from "../drivers/nvme/nvme-driver.ts";
import { BlockFamily } from "../families/block/block-family.ts";
import type { IOMedia } from "../families/block/io-media.ts";
import type { PciFamily } from "../families/pci/pci-family.ts";
import { platformProfile } from "../platform/platform-profile.ts";
import type { DriverBundle } from "../runtime/driver-bundle.ts";
import type { Machine } from "../runtime/machine.ts";
import type { HostTurn } from "../runtime/scheduler.ts";
import type { Timeline } from "../trace/timeline.ts";
import type { PciBerth } from "./pci-berth.ts";
import { PciRig, type PciRigOptions, type PciRigParts } from "./pci-rig.ts";

export interface NvmeRigOptions extends PciRigOptions {
  readonly device?: Partial<Omit<NvmeDeviceOptions, "clock" | "random">>;
  /** False: the modelled device stays in its drawer; functions come from elsewhere. Default true. */
  readonly isPluggedIn?: boolean;
  readonly bundles?: readonly DriverBundle[];
}

/** How long a disk may take to come up, virtual nanoseconds. */
const appearanceNs = 60e9;

/** A PCI rig with an NVMe device in slot 1. */
export class NvmeRig implements PciRigParts {
  readonly machine: Machine;
  readonly family: PciFamily;
  readonly pci: PciBerth;
  readonly timeline: Timeline;
  readonly block: BlockFamily;
  readonly device: NvmeDevice;

  constructor(options: NvmeRigOptions) {
    const { machine, family, pci, timeline } = new PciRig(options);
    this.machine = machine;
    this.family = family;
    this.pci = pci;
    this.timeline = timeline;
    this.block = new BlockFamily(machine);
    for (const bundle of options.bundles ?? [nvmeBundle()]) machine.install(bundle);
    this.device = new NvmeDevice({
      clock: machine.scheduler,
      random: machine.random.fork("nvme"),
      ...options.device,
    });
    if (options.isPluggedIn ?? true) pci.bus.plugIn(this.device, 1);
  }

  /** Disks that are there now, in order of appearance. */
  get media(): IOMedia[] {
    return this.block.media;
  }

  /** The running driver, for its counters. */
  get driver(): NvmeDriver | null {
    for (const entry of this.machine.registry.entries()) if (entry instanceof NvmeDriver) return entry;
    return null;
  }

  /** Runs until a disk is there. The error says what stood in the way. */
  async openMedia(index = 0): Promise<IOMedia> {
    const { scheduler } = this.machine;
    await scheduler.run(scheduler.nowNs() + appearanceNs, () => this.media.length > index);
    const media = this.media[index];
    if (media !== undefined) return media;
    throw new Error(`no disk came up: ${whyNoDisk(this).join("; ")}`);
  }
}

/** What stands between a PCI function and a disk, as far as the machine can say. */
export function whyNoDisk(rig: Pick<NvmeRig, "machine" | "family" | "pci" | "block">): string[] {
  const { machine } = rig;
  return [
    ...rig.pci.bus.failures.map(({ slot, reason }) => `slot ${slot}: ${reason}`),
    ...rig.family.failures.map(({ place, reason }) => `${place}: ${reason}`),
    ...machine.matchReports.map((report) => `${report.candidate.personalityName}: ${report.outcome}`),
    ...rig.block.failures,
    ...machine.crashes.map((crash) => `${crash.process} crashed: ${crash.text}`),
    ...(machine.failure === null ? [] : [machine.failure.text]),
  ];
}

/** The rig of `drydock start nvme` and of most tests: one disk of 64 MiB on the open profile. */
export function defaultNvmeRig(seed: number, turn: HostTurn, options: Partial<NvmeRigOptions> = {}): NvmeRig {
  return new NvmeRig({ seed, turn, profile: platformProfile("open"), ...options });
}
