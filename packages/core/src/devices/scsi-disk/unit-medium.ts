// The medium of a logical unit: blocks in a store, a write cache over it, and places that have gone bad.

import type { Random } from "../../base/random.ts";
import { type BlockStore, StoreResult } from "../../ports/block-store.ts";
import { VolatileCache } from "./volatile-cache.ts";

/** How an access ended; `failedLba` of the medium says where. */
export const MediumResult = { ok: 0, readError: 1, writeError: 2, noSpace: 3 } as const;
export type MediumResult = (typeof MediumResult)[keyof typeof MediumResult];

interface BadRange {
  readonly lba: number;
  readonly blocks: number;
  /** Writes fail too; otherwise a write finds a spare block and heals the place. */
  readonly isDead: boolean;
}

/** Blocks compared or written at a time by VERIFY, WRITE SAME and the like. */
const scratchBytes = 65536;

export class UnitMedium {
  readonly blockBytes: number;
  readonly blockCount: number;
  readonly store: BlockStore;
  /** Null: the store is the medium, and a flush is the store's own. */
  readonly cache: VolatileCache | null;
  /** WCE of the caching page: writes may wait in the cache. */
  isCaching = true;
  /** First block of the last access that failed. */
  failedLba = 0;
  #bad: BadRange[] = [];
  readonly #scratch = new Uint8Array(scratchBytes);

  constructor(store: BlockStore, blockBytes: number, blockCount: number, cacheBytes: number) {
    this.store = store;
    this.blockBytes = blockBytes;
    this.blockCount = blockCount;
    this.cache = cacheBytes > 0 ? new VolatileCache(store, blockBytes, cacheBytes) : null;
  }

  /** Marks blocks that cannot be read any more. */
  damage(lba: number, blocks: number, isDead: boolean): void {
    this.#bad.push({ lba, blocks, isDead });
    this.#bad.sort((left, right) => left.lba - right.lba);
  }

  get badRanges(): readonly { readonly lba: number; readonly blocks: number }[] {
    return this.#bad;
  }

  /** Blocks from `lba` on that can be read, at most `blocks`; sets `failedLba` when that is less. */
  #readable(lba: number, blocks: number): number {
    for (const range of this.#bad) {
      if (range.lba + range.blocks <= lba) continue;
      if (range.lba >= lba + blocks) break;
      this.failedLba = Math.max(lba, range.lba);
      return this.failedLba - lba;
    }
    return blocks;
  }

  /** Heals what a write may heal; false, with `failedLba`, when a dead block is in the range. */
  #heal(lba: number, blocks: number): boolean {
    const kept: BadRange[] = [];
    for (const range of this.#bad) {
      const from = Math.max(lba, range.lba);
      const to = Math.min(lba + blocks, range.lba + range.blocks);
      if (from >= to) kept.push(range);
      else if (range.isDead) {
        this.failedLba = from;
        return false;
      } else {
        if (range.lba < from) kept.push({ ...range, blocks: from - range.lba });
        if (to < range.lba + range.blocks)
          kept.push({ ...range, lba: to, blocks: range.lba + range.blocks - to });
      }
    }
    this.#bad = kept;
    return true;
  }

  /** Bytes before a bad block are read all the same, as disks send them. */
  read(lba: number, blocks: number, into: Uint8Array, offset: number): MediumResult {
    const good = this.#bad.length === 0 ? blocks : this.#readable(lba, blocks);
    const result = this.store.read(lba * this.blockBytes, into, offset, good * this.blockBytes);
    if (result !== StoreResult.ok) {
      this.failedLba = lba;
      return MediumResult.readError;
    }
    return good === blocks ? MediumResult.ok : MediumResult.readError;
  }

  /** A durable write (`isForced`, or no cache) is over when the store was flushed as well: LogicalUnit.finishWrite. */
  write(lba: number, blocks: number, from: Uint8Array, offset: number, isForced: boolean): MediumResult {
    if (this.#bad.length > 0 && !this.#heal(lba, blocks)) return MediumResult.writeError;
    const at = lba * this.blockBytes;
    const length = blocks * this.blockBytes;
    if (this.cache !== null) {
      if (isForced || !this.isCaching) this.cache.settle(at, length);
      else this.cache.beforeWrite(at, length);
    }
    return this.told(this.store.write(at, from, offset, length), lba);
  }

  /** What a store's answer about blocks from `lba` on means; `failedLba` is set. Not for `later`. */
  told(result: StoreResult, lba: number): MediumResult {
    if (result === StoreResult.ok) return MediumResult.ok;
    this.failedLba = lba;
    return result === StoreResult.noSpace ? MediumResult.noSpace : MediumResult.writeError;
  }

  /** The same block again and again, a piece at a time. */
  writeSame(lba: number, blocks: number, from: Uint8Array, offset: number): MediumResult {
    const perPiece = Math.max(1, Math.floor(scratchBytes / this.blockBytes));
    const filled = Math.min(perPiece, blocks);
    for (let index = 0; index < filled; index++)
      this.#scratch.set(from.subarray(offset, offset + this.blockBytes), index * this.blockBytes);
    for (let done = 0; done < blocks; done += perPiece) {
      const result = this.write(lba + done, Math.min(perPiece, blocks - done), this.#scratch, 0, false);
      if (result !== MediumResult.ok) return result;
    }
    return MediumResult.ok;
  }

  /** Reads without giving the bytes to anybody: VERIFY without comparison. */
  check(lba: number, blocks: number): MediumResult {
    if (this.#bad.length === 0 || this.#readable(lba, blocks) === blocks) return MediumResult.ok;
    return MediumResult.readError;
  }

  /**
   * Offset of the first byte that differs from `blocks` blocks of data (or, `isOneBlock`, from one block compared with
   * each), -1 when all agree, -2 when the medium could not be read (`failedLba`).
   */
  compare(lba: number, blocks: number, data: Uint8Array, offset: number, isOneBlock: boolean): number {
    const perPiece = Math.max(1, Math.floor(scratchBytes / this.blockBytes));
    for (let done = 0; done < blocks; done += perPiece) {
      const count = Math.min(perPiece, blocks - done);
      if (this.read(lba + done, count, this.#scratch, 0) !== MediumResult.ok) return -2;
      const length = count * this.blockBytes;
      const base = offset + done * this.blockBytes;
      for (let index = 0; index < length; index++) {
        const wanted = isOneBlock ? data[offset + (index % this.blockBytes)] : data[base + index];
        if (this.#scratch[index] !== wanted)
          return isOneBlock ? index % this.blockBytes : done * this.blockBytes + index;
      }
    }
    return -1;
  }

  /** Deallocated blocks are on the medium at once: their unmapping is never lost. */
  unmap(lba: number, blocks: number): MediumResult {
    if (this.#bad.length > 0 && !this.#heal(lba, blocks)) return MediumResult.writeError;
    const at = lba * this.blockBytes;
    const length = blocks * this.blockBytes;
    if (blocks === 0) return MediumResult.ok;
    this.cache?.settle(at, length);
    return this.told(this.store.discard(at, length), lba);
  }

  /** Empties the cache into the store; `blocks` 0: to the end. The store's own flush is the unit's to ask for. */
  destage(lba: number, blocks: number): void {
    if (this.cache === null) return;
    if (lba === 0 && (blocks === 0 || blocks === this.blockCount)) this.cache.settleAll();
    else
      this.cache.settle(
        lba * this.blockBytes,
        (blocks === 0 ? this.blockCount - lba : blocks) * this.blockBytes,
      );
  }

  /** Bytes that a flush would have to move. */
  get owedBytes(): number {
    return this.cache === null ? 0 : this.cache.owedGranules * this.cache.granuleBytes;
  }

  /** Answers the number of blocks that were lost. */
  cutPower(random: Random): number {
    return this.cache?.cut(random) ?? 0;
  }

  /** Blocks from `lba` on with one provisioning state: positive mapped, negative deallocated. */
  mappedRun(lba: number, blocks: number): number {
    const run = this.store.mappedRun(lba * this.blockBytes, blocks * this.blockBytes) / this.blockBytes;
    if (run >= 0) return Math.max(1, Math.floor(run));
    // A block of which only a part was never written counts as mapped.
    return run > -1 ? 1 : Math.ceil(run);
  }
}
