// The disks that `drydock disk serve` shows: how large, in which file, under which name the world knows each.

import { createHash } from "node:crypto";
import { realpathSync, rmSync } from "node:fs";
import type { ScsiUnitOptions } from "@drydock/core/devices/scsi-disk/unit-options";
import type { StepTaker } from "@drydock/node/ordered-steps";
import { type DiskImage, openDiskImage } from "@drydock/node/store/disk-image";
import { talk } from "./live-terminals.ts";

const units: Readonly<Record<string, number>> = { "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };
const defaultSize = "1G";

/** `64M`, `2T`, `1048576`. RangeError for what is no size. */
export function sizeOf(text: string): number {
  const match = /^(\d+)([KMGT]?)$/i.exec(text);
  if (match === null) throw new RangeError(`"${text}" is no size; write for example 64M, 10G or 2T`);
  const bytes = Number(match[1]) * units[match[2].toUpperCase()];
  if (!Number.isSafeInteger(bytes))
    throw new RangeError(`--size ${text} is more than a disk can have (2^53 bytes)`);
  return bytes;
}

/** `64M` where it is a whole number of a unit, else bytes. */
export function sizeText(bytes: number): string {
  for (const unit of ["T", "G", "M"])
    if (bytes >= units[unit] && bytes % units[unit] === 0) return `${bytes / units[unit]}${unit}`;
  return `${bytes} bytes`;
}

export interface DiskFileOptions {
  readonly size?: string;
  readonly block: number;
  readonly name: readonly string[];
  readonly file: readonly string[];
  readonly seed: number;
  readonly readOnly?: boolean;
  readonly part?: boolean;
  readonly unguarded?: boolean;
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
 * wherever it is served. RangeError for what a person has to change.
 */
export function openDiskFiles(options: DiskFileOptions, identity: string): DiskFiles {
  const { block, file: files, name: names } = options;
  if (![512, 1024, 2048, 4096].includes(block))
    throw new RangeError(`--block takes 512, 1024, 2048 or 4096 bytes, not ${block}`);
  if (files.length > 0 && files.length !== names.length)
    throw new RangeError(`${names.length} disks and ${files.length} files: give one --file for each --name`);
  if (files.length === 0)
    for (const option of ["part", "unguarded"] as const)
      if (options[option] === true) throw new RangeError(`--${option} is about a --file`);
  if (options.part === true && options.size === undefined)
    throw new RangeError("--part needs --size: how much of the file is shown");
  const asked = sizeOf(options.size ?? defaultSize);
  const lengthBytes = asked - (asked % block);
  if (lengthBytes === 0)
    throw new RangeError(`--size ${options.size} is less than one block of ${block} bytes`);
  const images = openAll(options, options.size === undefined ? null : lengthBytes, lengthBytes);
  const lengths = images.length > 0 ? images.map((image) => image.lengthBytes) : names.map(() => lengthBytes);
  const rounded =
    asked === lengthBytes || (images.length > 0 && options.size === undefined)
      ? ""
      : ` (--size ${options.size} is no multiple of ${block}: the rest is left out)`;
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
        ...nameOf(JSON.stringify(whole)),
        ...(image === undefined ? {} : { store: image.store, keeper: image.reservations }),
        ...(options.readOnly === true ? { isWriteProtected: true } : {}),
      };
    }),
    sizeLine: [...new Set(lengths)].map(sizeText).join(", ") + rounded,
    whatStays:
      files.length === 0
        ? "and forgets it"
        : `and ${files.join(", ")} ${options.readOnly === true ? "is only read" : "keeps it"}`,
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
): readonly DiskImage[] {
  const images: DiskImage[] = [];
  try {
    for (const path of options.file)
      images.push(
        openDiskImage(path, {
          blockBytes: options.block,
          lengthBytes,
          newBytes,
          isReadOnly: options.readOnly === true,
          isPart: options.part === true,
          isUnguarded: options.unguarded === true,
          onTrouble: (text) => talk(`drydock: ${text}`),
        }),
      );
  } catch (error) {
    for (const { isNew, path, store } of images) {
      store.close();
      if (isNew) rmSync(path, { force: true });
    }
    throw error instanceof RangeError ? new RangeError(`--file ${error.message}`) : error;
  }
  return images;
}

/** A serial number and a locally assigned NAA name (SPC-4 §7.8.6.6.4) of its own for whatever is another disk. */
function nameOf(whole: string): { readonly serial: string; readonly worldWideName: string } {
  const digest = createHash("sha256").update(whole).digest("hex");
  return {
    serial: `DRYDOCK${digest.slice(0, 12).toUpperCase()}`,
    worldWideName: `3${digest.slice(12, 27)}`,
  };
}
