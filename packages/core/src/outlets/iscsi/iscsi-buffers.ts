// Memory for the data of one connection's commands: bounded, and used again while a session lasts.

import type { ByteOwner } from "../../ports/byte-stream.ts";

/** Smallest piece; larger ones are powers of two. */
const smallest = 65536;
/** Most that may be lent at once, and most that is kept for the next command. */
const lentMaximum = 64 << 20;
const keptMaximum = 8 << 20;

/** Contents are whatever the last command left: who takes a buffer fills what it uses. */
export class IscsiBuffers {
  readonly #kept = new Map<number, Uint8Array[]>();
  #keptBytes = 0;
  #lentBytes = 0;

  /** At least `length` bytes, or null: there is no room. */
  take(length: number): Uint8Array | null {
    let size = smallest;
    while (size < length) size *= 2;
    if (this.#lentBytes + size > lentMaximum) return null;
    this.#lentBytes += size;
    const buffer = this.#kept.get(size)?.pop();
    if (buffer === undefined) return new Uint8Array(size);
    this.#keptBytes -= size;
    return buffer;
  }

  /** Back from a command, once. */
  give(buffer: Uint8Array): void {
    const size = buffer.length;
    this.#lentBytes -= size;
    if (this.#keptBytes + size > keptMaximum) return;
    this.#keptBytes += size;
    const kept = this.#kept.get(size);
    if (kept === undefined) this.#kept.set(size, [buffer]);
    else kept.push(buffer);
  }
}

/** One read's data on its way out: the memory comes back when the stream has let go of the last byte. */
export class OutgoingBuffer implements ByteOwner {
  readonly bytes: Uint8Array;
  readonly #home: IscsiBuffers;
  #left = 0;

  constructor(bytes: Uint8Array, home: IscsiBuffers) {
    this.bytes = bytes;
    this.#home = home;
  }

  /** So many bytes will be written; 0: none, it comes back at once. */
  sends(count: number): void {
    this.#left = count;
    if (count === 0) this.#home.give(this.bytes);
  }

  released(count: number): void {
    this.#left -= count;
    if (this.#left === 0) this.#home.give(this.bytes);
  }
}
