// What a disk's write cache owes the medium: for every block written and not flushed, what the medium still holds.

import type { Random } from "../../base/random.ts";
import type { BlockStore } from "../../ports/block-store.ts";

/** Old contents are kept in pieces of this size, or of one block where blocks are larger. */
const smallestGranule = 4096;
/** Their memory comes in slabs of so many pieces, so that growing moves nothing. */
const slabGranules = 256;

/**
 * The newest data is always in the store, so reads need not look here. A power cut undoes writes: each block that was
 * not flushed is seen by itself and, by the seed, either made it to the medium or did not. When more is owed than the
 * cache holds, the oldest piece is destaged, as a disk does.
 */
export class VolatileCache {
  readonly #store: BlockStore;
  readonly #blockBytes: number;
  readonly #granuleBytes: number;
  readonly #blocksPerGranule: number;
  readonly #capacity: number;
  readonly #slots = new Map<number, number>();
  readonly #free: number[] = [];
  #used = 0;
  #hand = 0;
  #granules = new Float64Array(slabGranules);
  /** One bit per block of the granule: owed; and was mapped before. */
  #owed = new Uint8Array(slabGranules);
  #wasMapped = new Uint8Array(slabGranules);
  readonly #old: Uint8Array[] = [];

  constructor(store: BlockStore, blockBytes: number, capacityBytes: number) {
    this.#store = store;
    this.#blockBytes = blockBytes;
    this.#granuleBytes = Math.max(smallestGranule, blockBytes);
    this.#blocksPerGranule = this.#granuleBytes / blockBytes;
    this.#capacity = Math.max(1, Math.floor(capacityBytes / this.#granuleBytes));
  }

  /** Granules with something owed. */
  get owedGranules(): number {
    return this.#slots.size;
  }

  get granuleBytes(): number {
    return this.#granuleBytes;
  }

  /** Before the store's bytes change: remembers what is there. */
  beforeWrite(at: number, length: number): void {
    const granuleBytes = this.#granuleBytes;
    let granule = Math.floor(at / granuleBytes);
    let inside = at - granule * granuleBytes;
    while (length > 0) {
      const count = Math.min(length, granuleBytes - inside);
      this.#remember(granule, inside / this.#blockBytes, count / this.#blockBytes);
      length -= count;
      inside = 0;
      granule++;
    }
  }

  #remember(granule: number, firstBlock: number, blocks: number): void {
    let slot = this.#slots.get(granule);
    if (slot === undefined) {
      slot = this.#takeSlot();
      this.#slots.set(granule, slot);
      this.#granules[slot] = granule;
      this.#owed[slot] = 0;
      this.#wasMapped[slot] = 0;
    }
    const wanted = ((1 << blocks) - 1) << firstBlock;
    const fresh = wanted & ~this.#owed[slot];
    if (fresh === 0) return;
    const start = granule * this.#granuleBytes;
    const old = this.#slabOf(slot);
    const oldAt = (slot % slabGranules) * this.#granuleBytes;
    if (fresh === wanted) {
      const from = firstBlock * this.#blockBytes;
      this.#store.read(start + from, old, oldAt + from, blocks * this.#blockBytes);
    } else {
      for (let block = firstBlock; block < firstBlock + blocks; block++) {
        if ((fresh & (1 << block)) === 0) continue;
        const from = block * this.#blockBytes;
        this.#store.read(start + from, old, oldAt + from, this.#blockBytes);
      }
    }
    // One question for the common case that the whole piece is mapped.
    const span = blocks * this.#blockBytes;
    if (this.#store.mappedRun(start + firstBlock * this.#blockBytes, span) === span)
      this.#wasMapped[slot] |= fresh;
    else
      for (let block = firstBlock; block < firstBlock + blocks; block++) {
        if ((fresh & (1 << block)) === 0) continue;
        if (this.#store.mappedRun(start + block * this.#blockBytes, this.#blockBytes) > 0)
          this.#wasMapped[slot] |= 1 << block;
      }
    this.#owed[slot] |= fresh;
  }

  #takeSlot(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#used < this.#capacity) {
      if (this.#used === this.#granules.length) this.#grow();
      return this.#used++;
    }
    const slot = this.#hand;
    this.#hand = (slot + 1) % this.#used;
    this.#slots.delete(this.#granules[slot]);
    return slot;
  }

  #slabOf(slot: number): Uint8Array {
    const index = Math.floor(slot / slabGranules);
    while (this.#old.length <= index) this.#old.push(new Uint8Array(slabGranules * this.#granuleBytes));
    return this.#old[index];
  }

  #grow(): void {
    const size = Math.min(this.#capacity, this.#granules.length * 2);
    const granules = new Float64Array(size);
    granules.set(this.#granules);
    const owed = new Uint8Array(size);
    owed.set(this.#owed);
    const wasMapped = new Uint8Array(size);
    wasMapped.set(this.#wasMapped);
    this.#granules = granules;
    this.#owed = owed;
    this.#wasMapped = wasMapped;
  }

  /** The range is on the medium now: nothing is owed for it. */
  settle(at: number, length: number): void {
    if (this.#slots.size === 0) return;
    const end = at + length;
    const first = Math.floor(at / this.#granuleBytes);
    const last = Math.floor((end - 1) / this.#granuleBytes);
    if (last - first > this.#slots.size) {
      for (const granule of [...this.#slots.keys()])
        if (granule >= first && granule <= last) this.#settleIn(granule, at, end);
    } else for (let granule = first; granule <= last; granule++) this.#settleIn(granule, at, end);
  }

  #settleIn(granule: number, at: number, end: number): void {
    const slot = this.#slots.get(granule);
    if (slot === undefined) return;
    const start = granule * this.#granuleBytes;
    for (let block = 0; block < this.#blocksPerGranule; block++) {
      const from = start + block * this.#blockBytes;
      if (from >= at && from < end) this.#owed[slot] &= ~(1 << block);
    }
    if (this.#owed[slot] !== 0) return;
    this.#slots.delete(granule);
    this.#free.push(slot);
  }

  settleAll(): void {
    this.#slots.clear();
    this.#free.length = 0;
    this.#used = 0;
    this.#hand = 0;
  }

  /** Power is cut: by the seed, each owed block stays as it is or goes back. Answers the number that went back. */
  cut(random: Random): number {
    let lost = 0;
    const granules = [...this.#slots.keys()].sort((left, right) => left - right);
    for (const granule of granules) {
      const slot = this.#slots.get(granule) as number;
      for (let block = 0; block < this.#blocksPerGranule; block++) {
        const bit = 1 << block;
        if ((this.#owed[slot] & bit) === 0 || random.chance(0.5)) continue;
        lost++;
        const at = granule * this.#granuleBytes + block * this.#blockBytes;
        const from = (slot % slabGranules) * this.#granuleBytes + block * this.#blockBytes;
        if ((this.#wasMapped[slot] & bit) === 0) this.#store.discard(at, this.#blockBytes);
        else this.#store.write(at, this.#slabOf(slot), from, this.#blockBytes);
      }
    }
    this.settleAll();
    return lost;
  }
}
