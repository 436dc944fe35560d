// A modelled disk's bytes in a file of the host: sparse, synchronous, kept when the process ends.

import { closeSync, fdatasyncSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";
import { type BlockStore, StoreResult } from "@drydock/core/ports/block-store";

/** Zeros are written in pieces of this size. */
const zeroBytes = 1 << 20;
const zeros = new Uint8Array(zeroBytes);
const unitBytes = 512;

/**
 * Opens `path` as a disk of `lengthBytes`, and makes it, sparse, when it is not there. The disk's writes are plain
 * writes of the host; `flush` is fdatasync(2), so the promise of a modelled flush is the host's own.
 *
 * Throws RangeError when the file is there and too short; the host's own error when it cannot be opened or made.
 */
export function openFileStore(path: string, lengthBytes: number): FileStore {
  if (!Number.isSafeInteger(lengthBytes) || lengthBytes <= 0 || lengthBytes % unitBytes !== 0)
    throw new RangeError(`a store has a positive multiple of 512 bytes below 2^53, not ${lengthBytes}`);
  const { descriptor, isNew } = openOrMake(path);
  try {
    if (isNew) ftruncateSync(descriptor, lengthBytes);
    const { size } = fstatSync(descriptor);
    if (size < lengthBytes)
      throw new RangeError(
        `${path} has ${size} bytes, the disk ${lengthBytes}; give --size ${size - (size % unitBytes)} or another file`,
      );
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  return new FileStore(descriptor, lengthBytes);
}

function openOrMake(path: string): { readonly descriptor: number; readonly isNew: boolean } {
  try {
    return { descriptor: openSync(path, "r+"), isNew: false };
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    return { descriptor: openSync(path, "wx+"), isNew: true };
  }
}

export class FileStore implements BlockStore {
  readonly lengthBytes: number;
  /** Node has no call that gives room in a file back. */
  readonly canDiscard = false;
  readonly #descriptor: number;

  constructor(descriptor: number, lengthBytes: number) {
    this.#descriptor = descriptor;
    this.lengthBytes = lengthBytes;
  }

  read(at: number, into: Uint8Array, offset: number, length: number): StoreResult {
    try {
      for (let done = 0; done < length; ) {
        const count = readSync(this.#descriptor, into, offset + done, length - done, at + done);
        // Somebody has cut the file under us.
        if (count === 0) return StoreResult.failed;
        done += count;
      }
      return StoreResult.ok;
    } catch {
      return StoreResult.failed;
    }
  }

  write(at: number, from: Uint8Array, offset: number, length: number): StoreResult {
    try {
      for (let done = 0; done < length; )
        done += writeSync(this.#descriptor, from, offset + done, length - done, at + done);
      return StoreResult.ok;
    } catch (error) {
      return resultOf(error);
    }
  }

  discard(at: number, length: number): StoreResult {
    for (let done = 0; done < length; done += zeroBytes) {
      const result = this.write(at + done, zeros, 0, Math.min(zeroBytes, length - done));
      if (result !== StoreResult.ok) return result;
    }
    return StoreResult.ok;
  }

  mappedRun(_at: number, length: number): number {
    return length;
  }

  flush(): StoreResult {
    try {
      fdatasyncSync(this.#descriptor);
      return StoreResult.ok;
    } catch (error) {
      return resultOf(error);
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

function resultOf(error: unknown): StoreResult {
  const code = error instanceof Error && "code" in error ? error.code : "";
  return code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG"
    ? StoreResult.noSpace
    : StoreResult.failed;
}
