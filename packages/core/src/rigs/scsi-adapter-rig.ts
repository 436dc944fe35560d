// What rigs with a SCSI host adapter have in common: the disks behind it, the family above, and why no disk came up.

import { ScsiDiskDevice, type ScsiDiskOptions } from "../devices/scsi-disk/scsi-disk-device.ts";
import type { IOMedia } from "../families/block/io-media.ts";
import { ScsiFamily } from "../families/scsi/scsi-family.ts";
import type { ScsiTargetPort } from "../ports/scsi-target.ts";
import type { DriverBundle } from "../runtime/driver-bundle.ts";
import { PciDiskRig } from "./pci-disk-rig.ts";
import type { PciRigOptions } from "./pci-rig.ts";

export interface ScsiAdapterRigOptions extends PciRigOptions {
  /** Units of each drive; default one drive of 64 MiB. */
  readonly drives?: readonly ScsiDiskOptions["units"][];
  /** Something wrapped round each drive. */
  readonly target?: (disk: ScsiDiskDevice) => ScsiTargetPort;
  /** False: the modelled controller stays in its drawer; functions come from elsewhere. Default true. */
  readonly isPluggedIn?: boolean;
  readonly bundles?: readonly DriverBundle[];
}

const defaultBlocks = 131_072;

export abstract class ScsiAdapterRig extends PciDiskRig {
  readonly scsi: ScsiFamily;
  readonly disks: readonly ScsiDiskDevice[];
  /** The drives as the controller sees them. */
  protected readonly targets: readonly ScsiTargetPort[];

  constructor(options: ScsiAdapterRigOptions, bundles: readonly DriverBundle[]) {
    super(options);
    const { machine } = this;
    this.scsi = new ScsiFamily(machine);
    for (const bundle of options.bundles ?? bundles) machine.install(bundle);
    const drives = options.drives ?? [[{ blockCount: defaultBlocks }]];
    this.disks = drives.map(
      (units, index) =>
        new ScsiDiskDevice({
          clock: machine.scheduler,
          random: machine.random.fork(`drive ${index}`),
          units,
        }),
    );
    this.targets = this.disks.map((disk) => options.target?.(disk) ?? disk);
  }

  override get media(): IOMedia[] {
    return this.scsi.media;
  }

  protected override whyNoMedia(): readonly string[] {
    return [
      ...this.scsi.controllers.flatMap(({ failure, targets }) => [failure ?? `${targets.size} targets`]),
      ...this.scsi.units.map((unit) => `unit ${unit.nub.lun} is ${unit.state} ${unit.stateReason}`),
    ];
  }
}
