// Memory for the data of one connection's commands: bounded, and used again while a session lasts.

import type { ByteOwner } from "../../ports/byte-stream.ts";

/** Smallest piece; larger ones are powers of two. */
const smallest = 65536;
/** Most that may be lent at once to all connections of a target, and most that they keep for their next commands. */
const lentMaximum = 64 << 20;
const keptMaximum = 16 << 20;
/** Of this, one connection keeps so much. */
const ownKeptMaximum = 8 << 20;

/** What the connections of a target have lent together. */
export class IscsiMemory {
  #lentBytes = 0;
  /** What the connections keep for later. */
  keptBytes = 0;
  readonly #onShort: () => void;
  /** Somebody was refused since this was looked at last. */
  wasShort = false;

  /** `onShort`: somebody was refused. */
  constructor(onShort: () => void) {
    this.#onShort = onShort;
  }

  get lentBytes(): number {
    return this.#lentBytes;
  }

  take(bytes: number): boolean {
    if (this.#lentBytes + bytes > lentMaximum) {
      this.wasShort = true;
      this.#onShort();
      return false;
    }
    this.#lentBytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#lentBytes -= bytes;
  }
}

/** Contents are whatever the last command left: who takes a buffer fills what it uses. */
export class IscsiBuffers {
  readonly #memory: IscsiMemory;
  #isOver = false;
  readonly #kept = new Map<number, Uint8Array[]>();
  #keptBytes = 0;
  #lentBytes = 0;

  constructor(memory: IscsiMemory) {
    this.#memory = memory;
  }

  /** At least `length` bytes, or null: there is no room. */
  take(length: number): Uint8Array | null {
    let size = smallest;
    while (size < length) size *= 2;
    if (!this.#memory.take(size)) return null;
    this.#lentBytes += size;
    const buffer = this.#kept.get(size)?.pop();
    if (buffer === undefined) return new Uint8Array(size);
    this.#keep(-size);
    return buffer;
  }

  #keep(bytes: number): void {
    this.#keptBytes += bytes;
    this.#memory.keptBytes += bytes;
  }

  /** Back from a command, once. */
  give(buffer: Uint8Array): void {
    if (this.#isOver) return;
    const size = buffer.length;
    this.#lentBytes -= size;
    this.#memory.give(size);
    const isEnough = this.#memory.keptBytes + size > keptMaximum || this.#keptBytes + size > ownKeptMaximum;
    if (isEnough) return;
    this.#keep(size);
    const kept = this.#kept.get(size);
    if (kept === undefined) this.#kept.set(size, [buffer]);
    else kept.push(buffer);
  }

  /** The connection is over: what it has lent counts no more, whoever still reads it. */
  over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#kept.clear();
    this.#keep(-this.#keptBytes);
    this.#memory.give(this.#lentBytes);
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
