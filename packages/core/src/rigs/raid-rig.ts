// The RAID rig: machine, PCI bus, a MegaRAID controller with SCSI disks as its drives, our driver, and the disks above.

import { MegaRaidDevice, type MegaRaidOptions } from "../devices/megaraid/megaraid-device.ts";
import { ScsiDiskDevice, type ScsiDiskOptions } from "../devices/scsi-disk/scsi-disk-device.ts";
import { megaRaidBundle } from "../drivers/megaraid/megaraid-bundle.ts";
import { MegaRaidDriver } from "../drivers/megaraid/megaraid-driver.ts";
import type { IOMedia } from "../families/block/io-media.ts";
import type { PciFamily } from "../families/pci/pci-family.ts";
import { ScsiFamily } from "../families/scsi/scsi-family.ts";
import { platformProfile } from "../platform/platform-profile.ts";
import type { ScsiTargetPort } from "../ports/scsi-target.ts";
import type { DriverBundle } from "../runtime/driver-bundle.ts";
import type { Machine } from "../runtime/machine.ts";
import type { HostTurn } from "../runtime/scheduler.ts";
import type { Timeline } from "../trace/timeline.ts";
import type { PciBerth } from "./pci-berth.ts";
import { PciRig, type PciRigOptions, type PciRigParts } from "./pci-rig.ts";

export interface RaidRigOptions extends PciRigOptions {
  readonly device?: Partial<Omit<MegaRaidOptions, "clock" | "random" | "drives" | "driveBlocks">>;
  /** Units of each logical drive; default one drive of 64 MiB. */
  readonly drives?: readonly ScsiDiskOptions["units"][];
  /** Something wrapped round each drive. */
  readonly target?: (disk: ScsiDiskDevice) => ScsiTargetPort;
  /** False: the modelled controller stays in its drawer; functions come from elsewhere. Default true. */
  readonly isPluggedIn?: boolean;
  readonly bundles?: readonly DriverBundle[];
}

const appearanceNs = 60e9;
const defaultBlocks = 131_072;

/** A PCI rig with a RAID controller in slot 1. */
export class RaidRig implements PciRigParts {
  readonly machine: Machine;
  readonly family: PciFamily;
  readonly pci: PciBerth;
  readonly timeline: Timeline;
  readonly scsi: ScsiFamily;
  readonly disks: readonly ScsiDiskDevice[];
  readonly device: MegaRaidDevice;

  constructor(options: RaidRigOptions) {
    const { machine, family, pci, timeline } = new PciRig(options);
    this.machine = machine;
    this.family = family;
    this.pci = pci;
    this.timeline = timeline;
    this.scsi = new ScsiFamily(machine);
    for (const bundle of options.bundles ?? [megaRaidBundle()]) machine.install(bundle);
    const drives = options.drives ?? [[{ blockCount: defaultBlocks }]];
    this.disks = drives.map(
      (units, index) =>
        new ScsiDiskDevice({
          clock: machine.scheduler,
          random: machine.random.fork(`drive ${index}`),
          units,
        }),
    );
    this.device = new MegaRaidDevice({
      clock: machine.scheduler,
      random: machine.random.fork("megaraid"),
      ...options.device,
      drives: this.disks.map((disk) => options.target?.(disk) ?? disk),
      driveBlocks: this.disks.map(({ units: [unit] }) => unit.medium.blockCount),
    });
    if (options.isPluggedIn ?? true) pci.bus.plugIn(this.device, 1);
  }

  /** Disks that are there now, in order of appearance. */
  get media(): IOMedia[] {
    return this.scsi.media;
  }

  /** The running driver, for its counters. */
  get driver(): MegaRaidDriver | null {
    for (const entry of this.machine.registry.entries()) if (entry instanceof MegaRaidDriver) return entry;
    return null;
  }

  /** Runs until a disk is there. The error says what stood in the way. */
  async openMedia(index = 0): Promise<IOMedia> {
    const { scheduler } = this.machine;
    await scheduler.run(scheduler.nowNs() + appearanceNs, () => this.media.length > index);
    const media = this.media[index];
    if (media !== undefined) return media;
    throw new Error(`no disk came up: ${whyNoDrive(this).join("; ")}`);
  }
}

/** What stands between a RAID controller and a disk, as far as the machine can say. */
export function whyNoDrive(rig: Pick<RaidRig, "machine" | "family" | "pci" | "scsi">): string[] {
  const { machine } = rig;
  return [
    ...rig.pci.bus.failures.map(({ slot, reason }) => `slot ${slot}: ${reason}`),
    ...rig.family.failures.map(({ place, reason }) => `${place}: ${reason}`),
    ...machine.matchReports.map((report) => `${report.candidate.personalityName}: ${report.outcome}`),
    ...rig.scsi.controllers.flatMap(({ failure, targets }) => [failure ?? `${targets.size} targets`]),
    ...rig.scsi.units.map((unit) => `unit ${unit.nub.lun} is ${unit.state} ${unit.stateReason}`),
    ...machine.crashes.map((crash) => `${crash.process} crashed: ${crash.text}`),
    ...(machine.failure === null ? [] : [machine.failure.text]),
  ];
}

/** The rig of most tests: one drive of 64 MiB on the open profile. */
export function defaultRaidRig(seed: number, turn: HostTurn, options: Partial<RaidRigOptions> = {}): RaidRig {
  return new RaidRig({ seed, turn, profile: platformProfile("open"), ...options });
}
