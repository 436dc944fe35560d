// The rig of the small host adapter: machine, PCI bus, SCSI disks behind the adapter, its driver.

import { RingHbaDevice, type RingHbaOptions } from "../devices/ring-hba/ring-hba-device.ts";
import { ringHbaBundle } from "../drivers/ring-hba/ring-hba-bundle.ts";
import { RingHbaDriver } from "../drivers/ring-hba/ring-hba-driver.ts";
import { platformProfile } from "../platform/platform-profile.ts";
import type { HostTurn } from "../runtime/scheduler.ts";
import { ScsiAdapterRig, type ScsiAdapterRigOptions } from "./scsi-adapter-rig.ts";

export interface RingHbaRigOptions extends ScsiAdapterRigOptions {
  readonly device?: Partial<Omit<RingHbaOptions, "clock" | "random" | "drives">>;
}

/** A PCI rig with the adapter in slot 1. */
export class RingHbaRig extends ScsiAdapterRig {
  override readonly device: RingHbaDevice;

  constructor(options: RingHbaRigOptions) {
    super(options, [ringHbaBundle()]);
    const { machine, pci } = this;
    this.device = new RingHbaDevice({
      clock: machine.scheduler,
      random: machine.random.fork("ring hba"),
      ...options.device,
      drives: this.targets,
    });
    if (options.isPluggedIn ?? true) pci.bus.plugIn(this.device, 1);
  }

  /** The running driver, for its counters. */
  get driver(): RingHbaDriver | null {
    return this.driverOf(RingHbaDriver);
  }
}

export function defaultRingHbaRig(
  seed: number,
  turn: HostTurn,
  options: Partial<RingHbaRigOptions> = {},
): RingHbaRig {
  return new RingHbaRig({ seed, turn, profile: platformProfile("open"), ...options });
}
