// Memory for the data of commands: bounded for all connections of a target together, and used again.

import type { Clock } from "../../base/clock.ts";
import type { ByteOwner } from "../../ports/byte-stream.ts";
import { CrowdBudget } from "../crowd-budget.ts";

/** Smallest piece; larger ones are powers of two. */
const smallest = 65536;
/** Most that may be lent at once to all connections of a target; what is kept for the next commands counts too. */
const lentMaximum = 64 << 20;
/** Of what is kept, so much outlasts a rest; a rest has lasted so long without a command that takes memory. */
const restedMaximum = 8 << 20;
const restNs = 1_000_000_000;

/** What the connections of a target have lent together, and what is kept for them. */
export class IscsiMemory {
  #lentBytes = 0;
  #keptBytes = 0;
  readonly #kept = new Map<number, Uint8Array[]>();
  readonly #clock: Clock;
  #takes = 0;
  /** A look at whether it rests is due. */
  #isWatched = false;
  readonly #onShort: () => void;
  readonly #budget: CrowdBudget;
  /** Connections that have something. */
  #users = 0;
  /** Somebody was refused since this was looked at last. */
  wasShort = false;

  /** `onShort`: somebody was refused. */
  constructor(clock: Clock, onShort: () => void) {
    this.#clock = clock;
    this.#budget = new CrowdBudget(clock);
    this.#onShort = onShort;
  }

  get lentBytes(): number {
    return this.#lentBytes;
  }

  get keptBytes(): number {
    return this.#keptBytes;
  }

  /** `isFirst`: whoever asks has nothing yet. */
  take(size: number, isFirst: boolean): Uint8Array | null {
    if (this.#lentBytes + size > lentMaximum || !this.#budget.take(size, this.#users)) {
      this.wasShort = true;
      this.#onShort();
      return null;
    }
    this.#lentBytes += size;
    this.#takes++;
    if (isFirst) this.#users++;
    const buffer = this.#kept.get(size)?.pop();
    if (buffer === undefined) {
      // Pieces of other sizes give way.
      if (this.#lentBytes + this.#keptBytes > lentMaximum) this.#dropTo(lentMaximum - this.#lentBytes);
      return new Uint8Array(size);
    }
    this.#keptBytes -= size;
    return buffer;
  }

  /** So much is lent no more; `isLast`: whoever had it has nothing now. */
  returned(bytes: number, isLast: boolean): void {
    this.#lentBytes -= bytes;
    if (isLast) this.#users--;
  }

  /** Nobody uses it any more. */
  keep(buffer: Uint8Array): void {
    const size = buffer.length;
    if (this.#lentBytes + this.#keptBytes + size > lentMaximum) return;
    this.#keptBytes += size;
    const kept = this.#kept.get(size);
    if (kept === undefined) this.#kept.set(size, [buffer]);
    else kept.push(buffer);
    if (this.#keptBytes > restedMaximum && !this.#isWatched) this.#watch();
  }

  #watch(): void {
    this.#isWatched = true;
    this.#clock.after(restNs, this.#look, this.#takes);
  }

  readonly #look = (takesThen: number): void => {
    this.#isWatched = false;
    if (this.#keptBytes <= restedMaximum) return;
    if (this.#takes === takesThen) this.#dropTo(restedMaximum);
    else this.#watch();
  };

  /** The largest go first. */
  #dropTo(most: number): void {
    const sizes = [...this.#kept.keys()].sort((left, right) => right - left);
    for (const size of sizes) {
      const kept = this.#kept.get(size) ?? [];
      while (this.#keptBytes > most && kept.pop() !== undefined) this.#keptBytes -= size;
    }
  }
}

/** One connection's part. Contents are whatever the last command left: who takes a buffer fills what it uses. */
export class IscsiBuffers {
  readonly #memory: IscsiMemory;
  #isOver = false;
  #lentBytes = 0;

  constructor(memory: IscsiMemory) {
    this.#memory = memory;
  }

  /** At least `length` bytes, or null: there is no room. */
  take(length: number): Uint8Array | null {
    let size = smallest;
    while (size < length) size *= 2;
    const buffer = this.#memory.take(size, this.#lentBytes === 0);
    if (buffer !== null) this.#lentBytes += size;
    return buffer;
  }

  /** Back from a command, once. */
  give(buffer: Uint8Array): void {
    if (!this.#isOver) {
      this.#lentBytes -= buffer.length;
      this.#memory.returned(buffer.length, this.#lentBytes === 0);
    }
    this.#memory.keep(buffer);
  }

  /** The connection is over: what it has lent counts no more, whoever still reads it. */
  over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#memory.returned(this.#lentBytes, this.#lentBytes > 0);
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
