// Disks that misbehave, for the commands that serve or export one.

import type { Clock } from "@drydock/core/base/clock";
import type { Random } from "@drydock/core/base/random";
import type { UsbSpeed } from "@drydock/core/codec/usb/usb-speed";
import { MassStorageDevice } from "@drydock/core/devices/mass-storage/mass-storage-device";
import type { DiskQuirk } from "@drydock/core/devices/scsi-disk/disk-quirks";
import { ScsiDiskDevice } from "@drydock/core/devices/scsi-disk/scsi-disk-device";
import type { ScsiUnitOptions } from "@drydock/core/devices/scsi-disk/unit-options";
import { withQuirks } from "@drydock/core/rigs/storage-rig";
import { UsageError } from "../terminal/usage-error.ts";

export interface BadBlocks {
  readonly lba: number;
  readonly blocks: number;
  /** Writing does not heal it. */
  readonly isDead: boolean;
}

export interface QuirkOptions {
  readonly quirk: readonly (readonly DiskQuirk[])[];
  readonly badBlocks: readonly BadBlocks[];
}

export function quirksOf({ quirk }: QuirkOptions): readonly DiskQuirk[] {
  return quirk.flat();
}

/** UsageError for a place that a disk does not have. */
export function judgeBadBlocks({ badBlocks }: QuirkOptions, units: readonly ScsiUnitOptions[]): void {
  for (const { lba, blocks } of badBlocks)
    for (const { blockCount } of units)
      if (lba + blocks > blockCount)
        throw new UsageError(
          `--bad-blocks ${lba}: the disk has ${blockCount} blocks, 0 to ${blockCount - 1}`,
        );
}

export function damage(disk: ScsiDiskDevice, { badBlocks }: QuirkOptions): void {
  for (const { medium } of disk.units)
    for (const { lba, blocks, isDead } of badBlocks) medium.damage(lba, blocks, isDead);
}

/** " with vpd-hangs, no-vpd", or nothing, for the line that says what is served. */
export function quirksLine(options: QuirkOptions): string {
  const names = quirksOf(options).map(({ name }) => name);
  if (options.badBlocks.length > 0) names.push("bad blocks");
  return names.length === 0 ? "" : ` with ${names.join(", ")}`;
}

/** A USB disk with both transports, for foreign drivers. */
export function quirkyUsbDisk(
  options: QuirkOptions,
  speed: UsbSpeed,
  units: readonly ScsiUnitOptions[],
  clock: Clock,
  random: Random,
): MassStorageDevice {
  const disk = new ScsiDiskDevice({ clock, random, units });
  damage(disk, options);
  const { device, target } = withQuirks(disk, clock, quirksOf(options));
  return new MassStorageDevice({
    speed,
    maximumLun: units.length - 1,
    ...device,
    target,
    ...(units[0].serial === undefined ? {} : { serialNumber: units[0].serial }),
  });
}
