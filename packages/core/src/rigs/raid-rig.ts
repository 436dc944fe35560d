// The RAID rig: machine, PCI bus, a MegaRAID controller with SCSI disks as its drives, our driver, and the disks above.

import { MegaRaidDevice, type MegaRaidOptions } from "../devices/megaraid/megaraid-device.ts";
import { ScsiDiskDevice, type ScsiDiskOptions } from "../devices/scsi-disk/scsi-disk-device.ts";
import { megaRaidBundle } from "../drivers/megaraid/megaraid-bundle.ts";
import { MegaRaidDriver } from "../drivers/megaraid/megaraid-driver.ts";
import type { IOMedia } from "../families/block/io-media.ts";
import { ScsiFamily } from "../families/scsi/scsi-family.ts";
import { platformProfile } from "../platform/platform-profile.ts";
import type { ScsiTargetPort } from "../ports/scsi-target.ts";
import type { DriverBundle } from "../runtime/driver-bundle.ts";
import type { HostTurn } from "../runtime/scheduler.ts";
import { PciDiskRig } from "./pci-disk-rig.ts";
import type { PciRigOptions } from "./pci-rig.ts";

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

const defaultBlocks = 131_072;

/** A PCI rig with a RAID controller in slot 1. */
export class RaidRig extends PciDiskRig {
  readonly scsi: ScsiFamily;
  readonly disks: readonly ScsiDiskDevice[];
  override readonly device: MegaRaidDevice;

  constructor(options: RaidRigOptions) {
    super(options);
    const { machine, pci } = this;
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

  override get media(): IOMedia[] {
    return this.scsi.media;
  }

  /** The running driver, for its counters. */
  get driver(): MegaRaidDriver | null {
    return this.driverOf(MegaRaidDriver);
  }

  protected override whyNoMedia(): readonly string[] {
    return [
      ...this.scsi.controllers.flatMap(({ failure, targets }) => [failure ?? `${targets.size} targets`]),
      ...this.scsi.units.map((unit) => `unit ${unit.nub.lun} is ${unit.state} ${unit.stateReason}`),
    ];
  }
}

/** The rig of most tests: one drive of 64 MiB on the open profile. */
export function defaultRaidRig(seed: number, turn: HostTurn, options: Partial<RaidRigOptions> = {}): RaidRig {
  return new RaidRig({ seed, turn, profile: platformProfile("open"), ...options });
}
