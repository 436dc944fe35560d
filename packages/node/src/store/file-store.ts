// A modelled disk's bytes in a file of the host: reads and writes are plain calls, flushes run on a worker thread.

import { closeSync, fdatasync, fdatasyncSync, readSync, writeSync } from "node:fs";
import { type BlockStore, StoreResult } from "@drydock/core/ports/block-store";
import type { StepTaker } from "../host/ordered-steps.ts";
import type { FileHoles } from "./file-holes.ts";
import { UnsafeRanges } from "./unsafe-ranges.ts";

type FlushDone = (result: StoreResult) => void;

export interface FileStoreParts {
  readonly descriptor: number;
  readonly lengthBytes: number;
  readonly holes: FileHoles;
  readonly isReadOnly: boolean;
  /** How the file is called in what is said. */
  readonly name: string;
  /** One sentence when the host failed a flush or, for the first time, a read or a write. */
  readonly onTrouble: (text: string) => void;
  /** After everything else at `close`. */
  readonly onClosed?: () => void;
}

/**
 * Flushes are fdatasync(2), one at a time: those asked for while one runs share the next one. After a failed
 * fdatasync(2) Linux marks the pages clean, and the next call answers success although data may be lost; so a flush
 * that failed stays failed here, until the file is opened anew.
 */
export class FileStore implements BlockStore {
  readonly lengthBytes: number;
  readonly canDiscard: boolean;
  /** Who runs the disk: answers of the worker arrive as its steps. */
  steps: StepTaker | null = null;
  readonly #parts: FileStoreParts;
  readonly #descriptor: number;
  /** Written since the last flush began, and before that while it runs. */
  #unsafe = new UnsafeRanges();
  #inFlight: UnsafeRanges | null = null;
  #flushing: FlushDone[] = [];
  #waiting: FlushDone[] = [];
  /** How the first failed flush ended; ok: none has failed. */
  #failure: StoreResult = StoreResult.ok;
  #isReadTroubled = false;
  #isWriteTroubled = false;
  #isClosed = false;

  constructor(parts: FileStoreParts) {
    this.#parts = parts;
    this.#descriptor = parts.descriptor;
    this.lengthBytes = parts.lengthBytes;
    this.canDiscard = parts.holes.canPunch;
  }

  /** The host has failed a flush: what was written may be lost, and no later flush can say otherwise. */
  get hasFailed(): boolean {
    return this.#failure !== StoreResult.ok;
  }

  read(at: number, into: Uint8Array, offset: number, length: number): StoreResult {
    try {
      for (let done = 0; done < length; ) {
        const count = readSync(this.#descriptor, into, offset + done, length - done, at + done);
        if (count === 0) return this.#readFailed(at + done, "the file ends there: somebody has cut it");
        done += count;
      }
      return StoreResult.ok;
    } catch (error) {
      return this.#readFailed(at, codeOf(error));
    }
  }

  write(at: number, from: Uint8Array, offset: number, length: number): StoreResult {
    // What is half written when the host refuses is not kept either.
    this.#unsafe.add(at, at + length);
    try {
      for (let done = 0; done < length; )
        done += writeSync(this.#descriptor, from, offset + done, length - done, at + done);
      return StoreResult.ok;
    } catch (error) {
      return this.#writeFailed(at, length, error);
    }
  }

  discard(at: number, length: number): StoreResult {
    this.#unsafe.add(at, at + length);
    try {
      this.#parts.holes.clear(at, length);
      return StoreResult.ok;
    } catch (error) {
      return this.#writeFailed(at, length, error);
    }
  }

  mappedRun(at: number, length: number): number {
    return this.#parts.holes.mappedRun(at, length);
  }

  flush(done: FlushDone): StoreResult {
    if (this.#failure !== StoreResult.ok) return this.#failure;
    if (this.#isClosed) return StoreResult.failed;
    // Asked of the host even when nothing was written here: a server that was killed may have left something to keep.
    if (this.#inFlight === null) {
      this.#flushing.push(done);
      this.#beginFlush();
    } else this.#waiting.push(done);
    return StoreResult.later;
  }

  /** Keeps what is left, as far as the host does, and closes. False: the host has failed a flush, now or before. */
  close(): boolean {
    if (this.#isClosed) return !this.hasFailed;
    this.#isClosed = true;
    try {
      if (!this.#parts.isReadOnly && !this.hasFailed && (!this.#unsafe.isEmpty || this.#inFlight !== null))
        fdatasyncSync(this.#descriptor);
    } catch (error) {
      this.#flushFailed(error);
    }
    // A descriptor that a worker still uses must not become another file's.
    if (this.#inFlight === null) closeSync(this.#descriptor);
    this.#parts.onClosed?.();
    return !this.hasFailed;
  }

  #beginFlush(): void {
    this.#inFlight = this.#unsafe;
    this.#unsafe = new UnsafeRanges();
    fdatasync(this.#descriptor, (error) => {
      if (this.#isClosed) closeSync(this.#descriptor);
      const { steps } = this;
      if (steps === null) this.#flushEnded(error);
      else steps.ready((told) => this.#flushEnded(told), error);
    });
  }

  #flushEnded(error: NodeJS.ErrnoException | null): void {
    if (error !== null) this.#flushFailed(error);
    this.#inFlight = null;
    const done = this.#flushing;
    this.#flushing = this.#waiting;
    this.#waiting = [];
    if (this.#failure !== StoreResult.ok) {
      // Those that waited would have covered what is lost now.
      done.push(...this.#flushing);
      this.#flushing = [];
    } else if (this.#flushing.length > 0 && !this.#isClosed) this.#beginFlush();
    for (const tell of done) tell(this.#failure);
  }

  #flushFailed(error: unknown): void {
    if (this.#failure !== StoreResult.ok) return;
    this.#failure = resultOf(error);
    const unsafe = this.#inFlight ?? new UnsafeRanges();
    unsafe.addAll(this.#unsafe);
    this.#unsafe = unsafe;
    const [first] = unsafe.ranges;
    const where =
      first === undefined
        ? "nothing was written since the last good flush"
        : `what was written to ${bytesText(first.from, first.to)} may be lost${unsafe.ranges.length === 1 ? "" : `, and ${unsafe.ranges.length - 1} more ranges: ${unsafe.bytes} bytes in all`}`;
    this.#parts.onTrouble(
      `${this.#parts.name}: the host failed a flush (${codeOf(error)}): ${where}; every flush of this disk fails until the server starts anew`,
    );
  }

  #readFailed(at: number, why: string): StoreResult {
    if (!this.#isReadTroubled)
      this.#parts.onTrouble(`${this.#parts.name}: the host failed a read at byte ${at} (${why})`);
    this.#isReadTroubled = true;
    return StoreResult.failed;
  }

  #writeFailed(at: number, length: number, error: unknown): StoreResult {
    if (!this.#isWriteTroubled)
      this.#parts.onTrouble(
        `${this.#parts.name}: the host failed a write to ${bytesText(at, at + length)} (${codeOf(error)})`,
      );
    this.#isWriteTroubled = true;
    return resultOf(error);
  }
}

function bytesText(from: number, to: number): string {
  return `bytes ${from} to ${to - 1}`;
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}

function resultOf(error: unknown): StoreResult {
  const code = codeOf(error);
  return code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG"
    ? StoreResult.noSpace
    : StoreResult.failed;
}
