// Holes of a file: made and found where the system and its file system can, written as zeros where not.

import { writeSync } from "node:fs";
import { ENXIO, linuxFiles } from "./linux-files.ts";

/** Zeros are written in pieces of this size. */
const zeroBytes = 1 << 20;
const zeros = new Uint8Array(zeroBytes);
const unitBytes = 512;

export interface FileHoles {
  /** False: `clear` writes zeros, and everything counts as mapped. */
  readonly canPunch: boolean;
  /** Why holes cannot be made, for the line that says so; null when they can. */
  readonly reason: string | null;
  /** The range reads as zeros afterwards. Throws the host's error. */
  clear(at: number, length: number): void;
  /** As BlockStore.mappedRun. */
  mappedRun(at: number, length: number): number;
}

/** How holes are made in the file behind `descriptor`, which has `lengthBytes`. Nothing of it changes. */
export function fileHoles(
  descriptor: number,
  lengthBytes: number,
  options: { readonly isReadOnly: boolean; readonly platform?: NodeJS.Platform },
): FileHoles {
  const platform = options.platform ?? process.platform;
  const files = linuxFiles(platform);
  const written = (reason: string): FileHoles => ({
    canPunch: false,
    reason,
    clear: (at, length) => writeZeros(descriptor, at, length),
    mappedRun: (_at, length) => length,
  });
  if (files === null)
    return written(platform === "linux" ? "koffi is not installed" : `not supported on ${platform}`);
  // Past the end there is nothing to lose: a file system that cannot do it says so there too.
  // Nor are any made in what is only read.
  if (!options.isReadOnly && files.punch(descriptor, Math.ceil(lengthBytes / 4096 + 1) * 4096, 4096) < 0)
    return written("its file system cannot make any");
  return {
    canPunch: true,
    reason: null,
    clear: (at, length) => {
      const errno = -files.punch(descriptor, at, length);
      // What cannot be punched now can still be written.
      if (errno > 0) writeZeros(descriptor, at, length);
    },
    mappedRun: (at, length) => {
      const data = files.nextData(descriptor, at);
      if (data === -ENXIO) return -length;
      // Who does not know where holes are has none to show.
      if (data < 0) return length;
      const hole = data > at ? data : files.nextHole(descriptor, at);
      if (hole < 0) return length;
      const run = Math.min(length, hole - at);
      if (data === at) return Math.min(length, Math.ceil(run / unitBytes) * unitBytes);
      // A unit of which only a part is a hole is mapped.
      const whole = run === length ? run : Math.floor(run / unitBytes) * unitBytes;
      return whole === 0 ? Math.min(unitBytes, length) : -whole;
    },
  };
}

function writeZeros(descriptor: number, at: number, length: number): void {
  for (let done = 0; done < length; )
    done += writeSync(descriptor, zeros, 0, Math.min(zeroBytes, length - done), at + done);
}
