// What rigs with one PCI controller and the disks behind it have in common: their parts, and why no disk came up.

import type { IOMedia } from "../families/block/io-media.ts";
import type { PciFamily } from "../families/pci/pci-family.ts";
import type { PciDevicePort } from "../ports/pci-device.ts";
import type { Machine } from "../runtime/machine.ts";
import type { IOService } from "../runtime/service.ts";
import type { Timeline } from "../trace/timeline.ts";
import type { PciBerth } from "./pci-berth.ts";
import { PciRig, type PciRigOptions, type PciRigParts } from "./pci-rig.ts";

/** How long a disk may take to come up, virtual nanoseconds. */
const appearanceNs = 60e9;

export abstract class PciDiskRig implements PciRigParts {
  readonly machine: Machine;
  readonly family: PciFamily;
  readonly pci: PciBerth;
  readonly timeline: Timeline;
  /** What stands in slot 1, or stays in its drawer. */
  abstract readonly device: PciDevicePort;

  constructor(options: PciRigOptions) {
    const { machine, family, pci, timeline } = new PciRig(options);
    this.machine = machine;
    this.family = family;
    this.pci = pci;
    this.timeline = timeline;
  }

  /** Disks that are there now, in order of appearance. */
  abstract get media(): IOMedia[];

  /** What the families above the controller say of disks that are not there. */
  protected abstract whyNoMedia(): readonly string[];

  /** What stands between a PCI function and a disk, as far as the machine can say. */
  whyNoDisk(): string[] {
    const { family, machine, pci } = this;
    return [
      ...pci.bus.failures.map(({ slot, reason }) => `slot ${slot}: ${reason}`),
      ...family.failures.map(({ place, reason }) => `${place}: ${reason}`),
      ...machine.matchReports.map((report) => `${report.candidate.personalityName}: ${report.outcome}`),
      ...this.whyNoMedia(),
      ...machine.crashes.map((crash) => `${crash.process} crashed: ${crash.text}`),
      ...(machine.failure === null ? [] : [machine.failure.text]),
    ];
  }

  /** Runs until a disk is there. The error says what stood in the way. */
  async openMedia(index = 0): Promise<IOMedia> {
    const { scheduler } = this.machine;
    await scheduler.run(scheduler.nowNs() + appearanceNs, () => this.media.length > index);
    const media = this.media[index];
    if (media !== undefined) return media;
    throw new Error(`no disk came up: ${this.whyNoDisk().join("; ")}`);
  }

  /** The running driver of that class; null: none. */
  protected driverOf<Driver extends IOService>(
    cls: abstract new (...args: never[]) => Driver,
  ): Driver | null {
    for (const entry of this.machine.registry.entries()) if (entry instanceof cls) return entry;
    return null;
  }
}
