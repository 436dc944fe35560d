// Memory of one connection: blocks that are filled from front to back and used again when nobody needs them.

import type { ByteOwner } from "../ports/byte-stream.ts";

/**
 * A block of an arena. Whoever reserves counts as its user until the same number of bytes is released: by the disk,
 * or by the stream that has sent them.
 */
export class ArenaBlock implements ByteOwner {
  readonly bytes: Uint8Array;
  readonly #arena: ByteArena;
  used = 0;
  /** Bytes that are reserved and not released. */
  live = 0;

  constructor(bytes: Uint8Array, arena: ByteArena) {
    this.bytes = bytes;
    this.#arena = arena;
  }

  released(count: number): void {
    this.live -= count;
    if (this.live === 0) this.#arena.idle(this);
  }
}

/** The first block is small: most connections ask little. */
const firstBlockBytes = 16 * 1024;

/**
 * Large blocks for all connections of a server: given back by those that end, bounded for all of them together. A
 * connection that ends while its stream still holds a block gives the place back and not the memory.
 */
export class BlockPool {
  readonly blockBytes: number;
  readonly #blockMaximum: number;
  readonly #keptMaximum: number;
  readonly #kept: Uint8Array[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #onShort: () => void;
  #lent = 0;

  /**
   * At most `blockMaximum` blocks are lent at once; `keptMaximum` of those that come back are kept for the next.
   * `onShort`: somebody has begun to wait.
   */
  constructor(blockBytes: number, blockMaximum: number, keptMaximum: number, onShort: () => void) {
    this.#onShort = onShort;
    this.blockBytes = blockBytes;
    this.#blockMaximum = blockMaximum;
    this.#keptMaximum = keptMaximum;
  }

  get lent(): number {
    return this.#lent;
  }

  /** Somebody waits for a block. */
  get isShort(): boolean {
    return this.#waiting.size > 0;
  }

  /** Null: all are lent; `onGiven` is told when one comes back. */
  take(onGiven: () => void): Uint8Array | null {
    if (this.#lent >= this.#blockMaximum) {
      this.#waiting.add(onGiven);
      this.#onShort();
      return null;
    }
    this.#lent++;
    return this.#kept.pop() ?? new Uint8Array(this.blockBytes);
  }

  /** `bytes` null: whoever had it is gone, and somebody else still reads it. */
  give(bytes: Uint8Array | null): void {
    this.#lent--;
    if (bytes !== null && this.#kept.length < this.#keptMaximum) this.#kept.push(bytes);
    const [next] = this.#waiting;
    if (next === undefined) return;
    this.#waiting.delete(next);
    next();
  }

  /** Whoever waited does not want one any more. */
  forget(onGiven: () => void): void {
    this.#waiting.delete(onGiven);
  }
}

/**
 * Hands out neighbouring pieces, so that what is answered in order lies in one row and leaves in one write. Bounded:
 * `blockMaximum` blocks of `blockBytes`, beyond which there is nothing until something is released.
 */
export class ByteArena {
  readonly #blockBytes: number;
  readonly #blockMaximum: number;
  readonly #onRelease: () => void;
  readonly #pool: BlockPool | null;
  /** Blocks of the pool that are here. */
  readonly #borrowed = new Set<ArenaBlock>();
  #isOver = false;
  readonly #spare: ArenaBlock[] = [];
  #blocks = 0;
  #current: ArenaBlock | null = null;
  #isShort = false;
  /** Where in the block that `reserve` gave last the reserved bytes begin. */
  offset = 0;

  /** `onRelease` is told when there is room again after `reserve` gave nothing. Large blocks come from `pool`, if any. */
  constructor(
    blockBytes: number,
    blockMaximum: number,
    onRelease: () => void,
    pool: BlockPool | null = null,
  ) {
    this.#pool = pool;
    this.#blockBytes = blockBytes;
    this.#blockMaximum = blockMaximum;
    this.#onRelease = onRelease;
  }

  /** `length` neighbouring bytes from `offset` of the block that is answered; null when there is no room now. */
  reserve(length: number): ArenaBlock | null {
    let block = this.#current;
    if (block === null || block.used + length > block.bytes.length) {
      if (length > this.#blockBytes) throw new RangeError(`${length} bytes never fit into an arena's block`);
      const next = this.#takeSpare(length) ?? this.#grow(length);
      if (next === null) {
        this.#isShort = true;
        return null;
      }
      this.#current = next;
      block = next;
    }
    this.offset = block.used;
    block.used += length;
    block.live += length;
    return block;
  }

  /** From a block: nobody uses it any more. */
  idle(block: ArenaBlock): void {
    block.used = 0;
    // What was borrowed is kept by nobody who does not use it.
    if (this.#borrowed.has(block)) {
      if (block === this.#current) this.#current = null;
      this.#giveBack(block);
    } else if (block !== this.#current) this.#spare.push(block);
    if (this.#isOver) return;
    if (!this.#isShort) return;
    this.#isShort = false;
    this.#onRelease();
  }

  /** The connection is over: what it borrowed goes back as it is released. */
  over(): void {
    this.#isOver = true;
    this.#pool?.forget(this.#onRelease);
    this.#spare.length = 0;
    this.#current = null;
  }

  /** The stream is closed and releases nothing any more: places in the pool are given back without their memory. */
  gone(): void {
    for (const block of [...this.#borrowed]) {
      this.#borrowed.delete(block);
      this.#pool?.give(null);
    }
  }

  #giveBack(block: ArenaBlock): void {
    this.#borrowed.delete(block);
    this.#blocks--;
    this.#pool?.give(block.bytes);
  }

  /** The first block is forgotten as soon as it was too small or too full: what replaces it is used for good. */
  #takeSpare(length: number): ArenaBlock | null {
    const spare = this.#spare.pop() ?? null;
    if (spare === null || spare.bytes.length >= Math.max(length, this.#blockBytes)) return spare;
    this.#blocks--;
    return this.#takeSpare(length);
  }

  #grow(length: number): ArenaBlock | null {
    if (this.#blocks === this.#blockMaximum) return null;
    const isSmall = this.#blocks === 0 && this.#current === null && length <= firstBlockBytes;
    const borrowed = isSmall || this.#pool === null ? null : this.#pool.take(this.#onRelease);
    if (borrowed === null && !isSmall && this.#pool !== null) return null;
    this.#blocks++;
    const bytes = borrowed ?? new Uint8Array(isSmall ? firstBlockBytes : this.#blockBytes);
    const block = new ArenaBlock(bytes, this);
    if (borrowed !== null) this.#borrowed.add(block);
    return block;
  }
}
