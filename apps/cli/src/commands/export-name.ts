// What can be exported: the USB devices of a rig, or a disk; and the options that a disk and a headset have besides.

import type { RigEntry } from "@drydock/core/rigs/catalogue";
import { headsetClasses } from "@drydock/core/rigs/headset-entries";
import { rigNamed, rigsWith, withUsbDevices } from "../actions/rig-list.ts";
import { option } from "../grammar/command-row.ts";
import { type ByteSize, byteSize, type Kind } from "../grammar/option-kind.ts";
import { outputFile } from "../grammar/output-paths.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { ownWav, wavFile } from "./audio-play.ts";
import { diskQuirkOptions } from "./disk-quirk-options.ts";
import { usbRigName } from "./rig-name.ts";

/** A USB disk, Bulk-Only and UAS, in memory: no rig of ours, as foreign drivers bring it up. */
const storage = rigNamed("storage", withUsbDevices) as RigEntry;
const disk: RigEntry = { ...storage, name: "disk", summary: "a USB disk with Bulk-Only and UAS, in memory" };
const usbRigNames = rigsWith(withUsbDevices).map(({ name }) => name);

export const exportName: Kind<RigEntry> = {
  ...usbRigName,
  takes: `one of ${usbRigNames.join(", ")}, disk`,
  read: (word) => (word === disk.name ? disk : usbRigName.read(word)),
  words: () => [...usbRigNames, disk.name],
};

export const exportDiskOptions = {
  size: option(
    byteSize({ from: 512 }),
    "disk: what it holds; without it 64M, and only what is written takes memory",
  ),
  ...diskQuirkOptions(),
};

export const exportHeadsetOptions = {
  hear: option(wavFile, "headset: what its microphone hears; without it, two ramps that show every slip"),
  out: option(outputFile(ownWav), "headset: write what a host plays as WAV"),
};

interface Exported {
  readonly rig?: RigEntry;
  readonly device: readonly string[];
  readonly size?: ByteSize;
  readonly quirk: readonly unknown[];
  readonly badBlocks: readonly unknown[];
  readonly hear?: unknown;
  readonly out?: unknown;
}

/** Options of a disk or a headset mean nothing for others, and a disk is no device of a rig. */
export function judgeExport({ badBlocks, device, hear, out, quirk, rig, size }: Exported): void {
  if (rig === undefined || !Object.hasOwn(headsetClasses, rig.name) || device.length > 0)
    for (const [name, value] of [
      ["--hear", hear],
      ["--out", out],
    ] as const)
      if (value !== undefined)
        throw new UsageError(`${name} is about a headset: drydock export ... headset ${name} FILE`);
  if (rig?.name === disk.name) {
    if (device.length > 0)
      throw new UsageError("--device is for rigs with serial ports: disk is a device itself");
  } else
    for (const [name, isGiven] of [
      ["--size", size !== undefined],
      ["--quirk", quirk.length > 0],
      ["--bad-blocks", badBlocks.length > 0],
    ] as const)
      if (isGiven) throw new UsageError(`${name} is about a disk: drydock export ... disk ${name} ...`);
}
