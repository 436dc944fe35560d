// The NVMe rig: machine, PCI bus, our NVMe model or another's, our driver, and the disk it is.

import { NvmeDevice, type NvmeDeviceOptions } from "../devices/nvme/nvme-device.ts";
import { nvmeBundle } from "../drivers/nvme/nvme-bundle.ts";
import { NvmeDriver } from "../drivers/nvme/nvme-driver.ts";
import { BlockFamily } from "../families/block/block-family.ts";
import type { IOMedia } from "../families/block/io-media.ts";
import { platformProfile } from "../platform/platform-profile.ts";
import type { DriverBundle } from "../runtime/driver-bundle.ts";
import type { HostTurn } from "../runtime/scheduler.ts";
import { PciDiskRig } from "./pci-disk-rig.ts";
import type { PciRigOptions } from "./pci-rig.ts";

export interface NvmeRigOptions extends PciRigOptions {
  readonly device?: Partial<Omit<NvmeDeviceOptions, "clock" | "random">>;
  /** False: the modelled device stays in its drawer; functions come from elsewhere. Default true. */
  readonly isPluggedIn?: boolean;
  readonly bundles?: readonly DriverBundle[];
}

/** A PCI rig with an NVMe device in slot 1. */
export class NvmeRig extends PciDiskRig {
  readonly block: BlockFamily;
  override readonly device: NvmeDevice;

  constructor(options: NvmeRigOptions) {
    super(options);
    const { machine, pci } = this;
    this.block = new BlockFamily(machine);
    for (const bundle of options.bundles ?? [nvmeBundle()]) machine.install(bundle);
    this.device = new NvmeDevice({
      clock: machine.scheduler,
      random: machine.random.fork("nvme"),
      ...options.device,
    });
    if (options.isPluggedIn ?? true) pci.bus.plugIn(this.device, 1);
  }

  override get media(): IOMedia[] {
    return this.block.media;
  }

  /** The running driver, for its counters. */
  get driver(): NvmeDriver | null {
    return this.driverOf(NvmeDriver);
  }

  protected override whyNoMedia(): readonly string[] {
    return this.block.failures;
  }
}

/** @deprecated The rig says it itself: `rig.whyNoDisk()`. */
export function whyNoDisk(rig: NvmeRig): string[] {
  return rig.whyNoDisk();
}

/** The rig of `drydock start nvme` and of most tests: one disk of 64 MiB on the open profile. */
export function defaultNvmeRig(seed: number, turn: HostTurn, options: Partial<NvmeRigOptions> = {}): NvmeRig {
  return new NvmeRig({ seed, turn, profile: platformProfile("open"), ...options });
}
