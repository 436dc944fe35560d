// A ring of bytes whose counters and contents lie in a dext's memory, where both sides see them.

import { ByteRing } from "@drydock/core/base/byte-ring";
import type { DextMemory } from "./dext-memory.ts";

/**
 * One of the two rings of a SerialPortInterface (driverkit-families.md §3): free-running 32-bit counters at `producedAt` and
 * `consumedAt`, `2^logSize` bytes at `dataAt`. The kernel produces into one and consumes from the other, as a driver in
 * TypeScript's rings are used.
 */
export class SharedRing extends ByteRing {
  readonly #memory: DextMemory;
  readonly #producedAt: number;
  readonly #consumedAt: number;
  readonly #dataAt: number;
  readonly #size: number;

  constructor(memory: DextMemory, producedAt: number, consumedAt: number, dataAt: number, logSize: number) {
    super(4);
    this.#memory = memory;
    this.#producedAt = producedAt;
    this.#consumedAt = consumedAt;
    this.#dataAt = dataAt;
    this.#size = 2 ** logSize;
  }

  override get capacity(): number {
    return this.#size;
  }

  /** A dext that counts past the ring's end has broken it: what lies between is at most the whole ring. */
  override get used(): number {
    const used = (this.#memory.u32(this.#producedAt) - this.#memory.u32(this.#consumedAt)) >>> 0;
    return Math.min(used, this.#size);
  }

  override get free(): number {
    return this.#size - this.used;
  }

  override push(from: Uint8Array, offset: number, length: number): number {
    const count = Math.min(length, this.free);
    const produced = this.#memory.u32(this.#producedAt);
    for (let done = 0; done < count; ) {
      const at = (produced + done) & (this.#size - 1);
      const part = Math.min(count - done, this.#size - at);
      this.#memory.bytes.set(from.subarray(offset + done, offset + done + part), this.#dataAt + at);
      done += part;
    }
    this.#memory.setU32(this.#producedAt, (produced + count) >>> 0);
    return count;
  }

  override pull(into: Uint8Array, offset: number, length: number): number {
    const count = Math.min(length, this.used);
    const consumed = this.#memory.u32(this.#consumedAt);
    for (let done = 0; done < count; ) {
      const at = (consumed + done) & (this.#size - 1);
      const part = Math.min(count - done, this.#size - at);
      into.set(this.#memory.view(this.#dataAt + at, part), offset + done);
      done += part;
    }
    this.#memory.setU32(this.#consumedAt, (consumed + count) >>> 0);
    return count;
  }

  override clear(): void {
    this.#memory.setU32(this.#consumedAt, this.#memory.u32(this.#producedAt));
  }
}
