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
 * Hands out neighbouring pieces, so that what is answered in order lies in one row and leaves in one write. Bounded:
 * `blockMaximum` blocks of `blockBytes`, beyond which there is nothing until something is released.
 */
export class ByteArena {
  readonly #blockBytes: number;
  readonly #blockMaximum: number;
  readonly #onRelease: () => void;
  readonly #spare: ArenaBlock[] = [];
  #blocks = 0;
  #current: ArenaBlock | null = null;
  #isShort = false;
  /** Where in the block that `reserve` gave last the reserved bytes begin. */
  offset = 0;

  /** `onRelease` is told when there is room again after `reserve` gave nothing. */
  constructor(blockBytes: number, blockMaximum: number, onRelease: () => void) {
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
    if (block !== this.#current) this.#spare.push(block);
    if (!this.#isShort) return;
    this.#isShort = false;
    this.#onRelease();
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
    this.#blocks++;
    const isSmall = this.#blocks === 1 && this.#current === null && length <= firstBlockBytes;
    return new ArenaBlock(new Uint8Array(isSmall ? firstBlockBytes : this.#blockBytes), this);
  }
}
