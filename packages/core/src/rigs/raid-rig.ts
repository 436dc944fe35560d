// The RAID rig: machine, PCI bus, a MegaRAID controller with SCSI disks as its drives, our driver, and the disks above.

import { MegaRaidDevice, type MegaRaidOptions } from "../devices/megaraid/megaraid-device.ts";
import { megaRaidBundle } from "../drivers/megaraid/megaraid-bundle.ts";
import { MegaRaidDriver } from "../drivers/megaraid/megaraid-driver.ts";
import { platformProfile } from "../platform/platform-profile.ts";
import type { HostTurn } from "../runtime/scheduler.ts";
import { ScsiAdapterRig, type ScsiAdapterRigOptions } from "./scsi-adapter-rig.ts";

export interface RaidRigOptions extends ScsiAdapterRigOptions {
  readonly device?: Partial<Omit<MegaRaidOptions, "clock" | "random" | "drives" | "driveBlocks">>;
}

/** A PCI rig with a RAID controller in slot 1. */
export class RaidRig extends ScsiAdapterRig {
  override readonly device: MegaRaidDevice;

  constructor(options: RaidRigOptions) {
    super(options, [megaRaidBundle()]);
    const { machine, pci } = this;
    this.device = new MegaRaidDevice({
      clock: machine.scheduler,
      random: machine.random.fork("megaraid"),
      ...options.device,
      drives: this.targets,
      driveBlocks: this.disks.map(({ units: [unit] }) => unit.medium.blockCount),
    });
    if (options.isPluggedIn ?? true) pci.bus.plugIn(this.device, 1);
  }

  /** The running driver, for its counters. */
  get driver(): MegaRaidDriver | null {
    return this.driverOf(MegaRaidDriver);
  }
}

/** The rig of most tests: one drive of 64 MiB on the open profile. */
export function defaultRaidRig(seed: number, turn: HostTurn, options: Partial<RaidRigOptions> = {}): RaidRig {
  return new RaidRig({ seed, turn, profile: platformProfile("open"), ...options });
}
