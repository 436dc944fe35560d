// The storage rig: machine, bus, a USB disk with both transports, the kernel's drivers, and the media they bring up.

import type { Clock } from "../base/clock.ts";
import { UsbSpeed } from "../codec/usb/usb-speed.ts";
import { MassStorageDevice, type MassStorageOptions } from "../devices/mass-storage/mass-storage-device.ts";
import type { DiskQuirk } from "../devices/scsi-disk/disk-quirks.ts";
import { QuirkyTarget } from "../devices/scsi-disk/quirky-target.ts";
import { ScsiDiskDevice, type ScsiDiskOptions } from "../devices/scsi-disk/scsi-disk-device.ts";
import { massStorageBundle, type TransportPolicy } from "../drivers/mass-storage/mass-storage-driver.ts";
import type { IOMedia } from "../families/block/io-media.ts";
import { ScsiFamily } from "../families/scsi/scsi-family.ts";
import { platformProfile } from "../platform/platform-profile.ts";
import type { ScsiTargetPort } from "../ports/scsi-target.ts";
import type { DriverBundle } from "../runtime/driver-bundle.ts";
import type { HostTurn } from "../runtime/scheduler.ts";
import { withStreamTrace } from "../trace/usb-stream-trace.ts";
import { UsbRig, type UsbRigOptions } from "./usb-rig.ts";
import { UsbRigDoors, type UsbRigParts } from "./usb-rig-doors.ts";

export interface StorageRigOptions extends Omit<UsbRigOptions, "describeRequests"> {
  /** Units of the modelled disk; default one of 64 MiB. */
  readonly units?: ScsiDiskOptions["units"];
  /** How the disk misbehaves: devices/scsi-disk/disk-quirks.ts. */
  readonly quirks?: readonly DiskQuirk[];
  /** Another target in place of the modelled disk, or something wrapped round it. */
  readonly target?: (disk: ScsiDiskDevice) => ScsiTargetPort;
  /** The USB side of the device. Default high speed, both transports. */
  readonly device?: Partial<Omit<MassStorageOptions, "target">>;
  /** False: the modelled disk stays in its drawer; devices come from elsewhere, through `attach`. Default true. */
  readonly isPluggedIn?: boolean;
  /** Marks in the trace when the device asks for a stream, as a hardware analyser would show. Default false. */
  readonly traceStreams?: boolean;
  /** Another device than the plain one: a bridge, for a case. */
  readonly makeDevice?: (options: MassStorageOptions, rig: UsbRigParts) => MassStorageDevice;
  /** Which alternate setting the kernel's drivers choose. Default by-speed. */
  readonly policy?: TransportPolicy;
  /** Drivers in place of the kernel's own. */
  readonly bundles?: readonly DriverBundle[];
}

/** Blocks of the default disk: 64 MiB of 512 bytes. */
export const defaultBlockCount = 131_072;

/** How long a disk may take to come up, virtual nanoseconds. */
const appearanceNs = 30e9;

/** A disk whose firmware and USB side misbehave as its quirks say. */
export function withQuirks(
  disk: ScsiTargetPort,
  clock: Clock,
  quirks: readonly DiskQuirk[],
): { readonly target: ScsiTargetPort; readonly device: NonNullable<DiskQuirk["usb"]> } {
  const behaviours = quirks.flatMap(({ behaviour }) => (behaviour === null ? [] : [behaviour()]));
  return {
    target: behaviours.length === 0 ? disk : new QuirkyTarget(disk, clock, behaviours),
    device: Object.assign({}, ...quirks.map(({ usb }) => usb)),
  };
}

/** A USB rig with a disk in connector 1. */
export class StorageRig extends UsbRigDoors {
  readonly disk: ScsiDiskDevice;
  readonly device: MassStorageDevice;
  readonly scsi: ScsiFamily;

  constructor(options: StorageRigOptions) {
    super(new UsbRig({ ...options, describeRequests: [] }));
    const units = options.units ?? [{ blockCount: defaultBlockCount }];
    this.disk = new ScsiDiskDevice({
      clock: this.machine.scheduler,
      random: this.machine.random.fork("scsi-disk"),
      units,
    });
    this.scsi = new ScsiFamily(this.machine);
    for (const bundle of options.bundles ?? [massStorageBundle(options.policy ?? "by-speed")])
      this.machine.install(bundle);
    const makeDevice = options.makeDevice ?? ((plan) => new MassStorageDevice(plan));
    const quirky = withQuirks(this.disk, this.machine.scheduler, options.quirks ?? []);
    const target = options.target?.(this.disk) ?? quirky.target;
    const plan = {
      maximumLun: units.length - 1,
      speed: UsbSpeed.high,
      ...quirky.device,
      ...options.device,
      target,
    };
    this.device = makeDevice(plan, this);
    const { scheduler } = this.machine;
    const plugged =
      options.traceStreams === true
        ? withStreamTrace(this.device, { clock: scheduler, log: this.trace })
        : this.device;
    if (options.isPluggedIn ?? true) this.bus.plugIn(plugged, 1);
  }

  /** Media that are there now, in order of appearance. */
  get media(): IOMedia[] {
    return this.scsi.media;
  }

  /** Runs until a medium is there. The error says what stood in the way. */
  async openMedia(index = 0): Promise<IOMedia> {
    const { scheduler } = this.machine;
    await scheduler.run(scheduler.nowNs() + appearanceNs, () => this.media.length > index);
    const media = this.media[index];
    if (media !== undefined) return media;
    const reasons = [
      ...this.family.failures.map(({ reason }) => reason),
      ...this.machine.matchReports.map((report) => `${report.candidate.personalityName}: ${report.outcome}`),
      ...this.scsi.units.map((unit) => `unit ${unit.nub.lun} is ${unit.state} ${unit.stateReason}`),
      ...(this.machine.failure === null ? [] : [this.machine.failure.text]),
    ];
    throw new Error(`no disk came up: ${reasons.join("; ")}`);
  }
}

/** The rig of `drydock disk` and of most tests: one disk of 64 MiB at high speed, on the open profile. */
export function defaultStorageRig(
  seed: number,
  turn: HostTurn,
  options: Partial<StorageRigOptions> = {},
): StorageRig {
  return new StorageRig({ seed, turn, profile: platformProfile("open"), ...options });
}
