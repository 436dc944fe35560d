// The disks that `drydock disk serve` shows: how large, in which file, under which name the world knows each.

import { createHash } from "node:crypto";
import { realpathSync, rmSync } from "node:fs";
import { shown } from "@drydock/core/base/shown-text";
import type { ScsiUnitOptions } from "@drydock/core/devices/scsi-disk/unit-options";
import type { UsbFaultRule } from "@drydock/core/faults/usb-faults";
import type { StepTaker } from "@drydock/node/ordered-steps";
import { type DiskImage, openDiskImage } from "@drydock/node/store/disk-image";
import type { ByteSize } from "../grammar/option-kind.ts";
import type { CommandIo } from "../terminal/command-io.ts";
import { UsageError } from "../terminal/usage-error.ts";

const units: Readonly<Record<string, number>> = { M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };
const defaultBytes = 2 ** 30;

/** `64M` where it is a whole number of a unit, else bytes. */
export function sizeText(bytes: number): string {
  for (const unit of ["T", "G", "M"])
    if (bytes >= units[unit] && bytes % units[unit] === 0) return `${bytes / units[unit]}${unit}`;
  return `${bytes} bytes`;
}

export interface DiskFileOptions {
  readonly size?: ByteSize;
  readonly block: number;
  readonly name: readonly string[];
  readonly file: readonly string[];
  readonly seed: number;
  readonly readOnly: boolean;
  readonly part: boolean;
  readonly unguarded: boolean;
  /** Faults of the way to the disk; some of them take its power. */
  readonly fault: readonly UsbFaultRule[];
}

/** What is served, before anything serves it. */
export interface DiskFiles {
  readonly units: readonly (ScsiUnitOptions & { readonly lengthBytes: number })[];
  /** "64M", and what became of a size that was asked for. */
  readonly sizeLine: string;
  /** For the line that says what Ctrl-C does. */
  readonly whatStays: string;
  /** Sentences that belong below the first line. */
  readonly notes: readonly string[];
  /** Who runs the disks: answers of the host arrive as its steps. */
  runBy(steps: StepTaker): void;
  /** Nothing was served after all: files that were made for it go. */
  abandon(): void;
  /** False: the host has failed a flush, and what was written may be lost. */
  close(): boolean;
}

/**
 * One disk for each name. `identity` is what makes these disks others than those of another server; an image is itself
 * wherever it is served. UsageError for what a person has to change.
 */
export function openDiskFiles(options: DiskFileOptions, identity: string, io: CommandIo): DiskFiles {
  const { block, file: files, name: names } = options;
  const asked = options.size?.bytes ?? defaultBytes;
  const lengthBytes = asked - (asked % block);
  if (lengthBytes === 0)
    throw new UsageError(`--size ${options.size?.text} is less than one block of ${block} bytes`);
  const images = openAll(options, options.size === undefined ? null : lengthBytes, lengthBytes, io);
  const lengths = images.length > 0 ? images.map((image) => image.lengthBytes) : names.map(() => lengthBytes);
  const rounded =
    asked === lengthBytes || (images.length > 0 && options.size === undefined)
      ? ""
      : ` (--size ${options.size?.text} is no multiple of ${block}: the rest is left out)`;
  return {
    units: lengths.map((bytes, index) => {
      const image = images[index];
      const whole =
        image === undefined
          ? [identity, names[index], index, options.seed, bytes, block]
          : ["file", realpathSync(image.path)];
      return {
        lengthBytes: bytes,
        blockBytes: block,
        blockCount: bytes / block,
        ...diskNameOf(JSON.stringify(whole)),
        ...(image === undefined ? {} : { store: image.store, keeper: image.reservations }),
        // Nobody cuts the power of a disk without faults: what its medium would lack then is not remembered.
        ...(options.fault.length === 0 ? { cacheBytes: 0 } : {}),
        ...(options.readOnly ? { isWriteProtected: true } : {}),
      };
    }),
    sizeLine: [...new Set(lengths)].map(sizeText).join(", ") + rounded,
    whatStays:
      files.length === 0
        ? "and forgets it"
        : `and ${files.map((file) => shown(file)).join(", ")} ${options.readOnly ? "is only read" : "keeps it"}`,
    notes: images.flatMap(({ notes }) => notes),
    runBy: (steps) => {
      for (const { reservations, store } of images) {
        store.steps = steps;
        reservations.steps = steps;
      }
    },
    abandon: () => {
      for (const { isNew, path, store } of images) {
        store.close();
        if (isNew) rmSync(path, { force: true });
      }
    },
    close: () => images.map(({ store }) => store.close()).every((isKept) => isKept),
  };
}

function openAll(
  options: DiskFileOptions,
  lengthBytes: number | null,
  newBytes: number,
  io: CommandIo,
): readonly DiskImage[] {
  const images: DiskImage[] = [];
  try {
    for (const path of options.file)
      images.push(
        openDiskImage(path, {
          blockBytes: options.block,
          lengthBytes,
          newBytes,
          isReadOnly: options.readOnly,
          isPart: options.part,
          isUnguarded: options.unguarded,
          onTrouble: (text) => io.event(`drydock: ${text}`),
        }),
      );
  } catch (error) {
    for (const { isNew, path, store } of images) {
      store.close();
      if (isNew) rmSync(path, { force: true });
    }
    throw error instanceof RangeError ? new UsageError(`--file ${error.message}`) : error;
  }
  return images;
}

/** A serial number and a locally assigned NAA name (SPC-4 §7.8.6.6.4) of its own for whatever is another disk. */
export function diskNameOf(whole: string): { readonly serial: string; readonly worldWideName: string } {
  const digest = createHash("sha256").update(whole).digest("hex");
  return {
    serial: `DRYDOCK${digest.slice(0, 12).toUpperCase()}`,
    worldWideName: `3${digest.slice(12, 27)}`,
  };
}
