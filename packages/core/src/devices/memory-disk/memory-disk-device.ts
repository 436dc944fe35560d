// A disk in memory behind a BlockPort: sparse, with a volatile write cache if wanted, and a power switch.

import type { Clock } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import { SparseBytes } from "../../base/sparse-bytes.ts";
import {
  type BlockClient,
  type BlockGeometry,
  type BlockPort,
  BlockStatus,
  BlockSubmit,
  judgeBlocks,
} from "../../ports/block.ts";

export interface MemoryDiskOptions {
  readonly clock: Clock;
  /** Decides what of the cache a power cut loses, and latencies. */
  readonly random: Random;
  readonly blockCount: number;
  /** Default 512. */
  readonly blockBytes?: number;
  /** Default: as many as make 4 MiB. */
  readonly maximumBlocks?: number;
  readonly isReadOnly?: boolean;
  /** Writes stay volatile until flushed or forced. Default false: every write is durable. */
  readonly hasWriteCache?: boolean;
  /** From submission to completion, drawn between the two. Default 0 and 0, still asynchronous. */
  readonly latencyNs?: readonly [least: number, most: number];
}

const slots = 256;
const Kind = { none: 0, read: 1, write: 2, flush: 3, trim: 4, zero: 5 } as const;
/** How often the drive has written a cached block back by itself before it is overwritten. */
const writeBackChance = 0.25;

/**
 * The medium, which outlives its ports: `powerOn` gives a fresh one, `cutPower` takes it away. What was neither flushed
 * nor forced survives a cut block by block as chance decides, and so does a write that is under way: torn writes and
 * reordering are what an unflushed cache means.
 */
export class MemoryDisk {
  readonly geometry: BlockGeometry;
  readonly #options: MemoryDiskOptions;
  readonly #medium = new SparseBytes();
  /** Blocks that are newer in the cache than on the medium. */
  readonly #cache = new Map<number, Uint8Array>();
  #port: MemoryDiskPort | null = null;

  /** Throws RangeError for a geometry that no disk has. */
  constructor(options: MemoryDiskOptions) {
    const blockBytes = options.blockBytes ?? 512;
    if (!Number.isInteger(Math.log2(blockBytes)) || blockBytes < 512 || blockBytes > 65536)
      throw new RangeError(`a block has 512 to 65536 bytes, a power of two; not ${blockBytes}`);
    if (!(options.blockCount >= 1) || !Number.isSafeInteger(options.blockCount * blockBytes))
      throw new RangeError(
        `a disk has 1 block to 2^53 bytes; not ${options.blockCount} blocks of ${blockBytes}`,
      );
    this.#options = options;
    this.geometry = {
      blockBytes,
      blockCount: options.blockCount,
      maximumBlocks: options.maximumBlocks ?? (4 << 20) / blockBytes,
      isReadOnly: options.isReadOnly ?? false,
      hasWriteCache: options.hasWriteCache ?? false,
      canTrim: true,
      canWriteZeroes: true,
    };
  }

  /** Memory that the contents take, without the cache. */
  get allocatedBytes(): number {
    return this.#medium.allocatedBytes;
  }

  /** Blocks that a power cut may lose now. */
  get cachedBlocks(): number {
    return this.#cache.size;
  }

  /** Switches the disk on. Throws RangeError when it is on. */
  powerOn(): BlockPort {
    if (this.#port !== null) throw new RangeError("the disk is on already");
    this.#port = new MemoryDiskPort(this, this.#options);
    return this.#port;
  }

  /** Cuts the power: the port leaves, and of what was volatile only what chance kept remains. Ignored when off. */
  cutPower(): void {
    const port = this.#port;
    if (port === null) return;
    this.#port = null;
    port.leave();
    this.loseCache();
  }

  /** What a cut does to the cache: chance keeps one block or another. For a device that uses this medium without a port. */
  loseCache(): void {
    const { random } = this.#options;
    for (const [block, bytes] of this.#cache) if (random.chance(0.5)) this.#toMedium(block, bytes);
    this.#cache.clear();
  }

  /** What is on the medium now, for tests: not what a read would answer while a cache holds newer blocks. */
  peek(block: number): Uint8Array {
    const { blockBytes } = this.geometry;
    const bytes = new Uint8Array(blockBytes);
    this.#medium.read(block * blockBytes, bytes, 0, blockBytes);
    return bytes;
  }

  /** From the port: the blocks as a host sees them. */
  read(block: number, blocks: number, buffer: Uint8Array, offset: number): void {
    const { blockBytes } = this.geometry;
    this.#medium.read(block * blockBytes, buffer, offset, blocks * blockBytes);
    if (this.#cache.size === 0) return;
    for (let index = 0; index < blocks; index++) {
      const cached = this.#cache.get(block + index);
      if (cached !== undefined) buffer.set(cached, offset + index * blockBytes);
    }
  }

  /** The bytes of blocks where they lie, from `directOffset(block)` on, for a read without a copy; null: `read` must gather them. */
  direct(block: number, blocks: number): Uint8Array | null {
    const { blockBytes } = this.geometry;
    return this.#cache.size > 0 ? null : this.#medium.pageOf(block * blockBytes, blocks * blockBytes);
  }

  directOffset(block: number): number {
    return this.#medium.offsetInPage(block * this.geometry.blockBytes);
  }

  /** From the port. A null buffer means zeros. */
  write(block: number, blocks: number, buffer: Uint8Array | null, offset: number, isForced: boolean): void {
    const { blockBytes } = this.geometry;
    if (isForced || !this.geometry.hasWriteCache) {
      if (this.#cache.size > 0)
        for (let index = 0; index < blocks; index++) this.#cache.delete(block + index);
      if (buffer === null) this.#medium.clear(block * blockBytes, blocks * blockBytes);
      else this.#medium.write(block * blockBytes, buffer, offset, blocks * blockBytes);
      return;
    }
    for (let index = 0; index < blocks; index++) {
      const at = offset + index * blockBytes;
      const bytes = buffer === null ? new Uint8Array(blockBytes) : buffer.slice(at, at + blockBytes);
      const older = this.#cache.get(block + index);
      if (older !== undefined && this.#options.random.chance(writeBackChance))
        this.#toMedium(block + index, older);
      this.#cache.set(block + index, bytes);
    }
  }

  /** From the port: everything cached reaches the medium. */
  flush(): void {
    for (const [block, bytes] of this.#cache) this.#toMedium(block, bytes);
    this.#cache.clear();
  }

  /** From the port: a write that the cut met half way, block by block. */
  tear(block: number, blocks: number, buffer: Uint8Array | null, offset: number): void {
    const { random } = this.#options;
    for (let index = 0; index < blocks; index++) {
      if (random.chance(0.5))
        this.write(block + index, 1, buffer, offset + index * this.geometry.blockBytes, true);
    }
  }

  #toMedium(block: number, bytes: Uint8Array): void {
    this.#medium.write(block * this.geometry.blockBytes, bytes, 0, bytes.length);
  }
}

/** A request does its work when it completes, so a cut between the two meets it half way. */
class MemoryDiskPort implements BlockPort {
  readonly geometry: BlockGeometry;
  readonly slotCount = slots;
  readonly #disk: MemoryDisk;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #leastNs: number;
  readonly #mostNs: number;
  #client: BlockClient | null = null;
  #isGone = false;

  // Per slot.
  readonly #kinds = new Uint8Array(slots);
  readonly #blocks = new Float64Array(slots);
  readonly #counts = new Float64Array(slots);
  readonly #buffers: (Uint8Array | null)[] = new Array(slots).fill(null);
  readonly #offsets = new Float64Array(slots);
  readonly #isForced = new Uint8Array(slots);

  // Without latency all that is submitted at an instant completes in one event, in order.
  readonly #due = new Int32Array(slots);
  #dueStart = 0;
  #dueCount = 0;
  #isScheduled = false;

  constructor(disk: MemoryDisk, options: MemoryDiskOptions) {
    this.#disk = disk;
    this.geometry = disk.geometry;
    this.#clock = options.clock;
    this.#random = options.random.fork("latency");
    [this.#leastNs, this.#mostNs] = options.latencyNs ?? [0, 0];
  }

  connect(client: BlockClient): void {
    this.#client = client;
    // It may have left between powerOn and connect.
    if (this.#isGone) this.#clock.after(0, this.#tellGone, undefined);
  }

  read(slot: number, block: number, blocks: number, buffer: Uint8Array, offset: number): BlockSubmit {
    const refused = this.#judge(slot, block, blocks, buffer, offset);
    if (refused !== BlockSubmit.accepted) return refused;
    return this.#accept(slot, Kind.read, block, blocks, buffer, offset, false);
  }

  write(
    slot: number,
    block: number,
    blocks: number,
    buffer: Uint8Array,
    offset: number,
    isForced: boolean,
  ): BlockSubmit {
    const refused = this.#judge(slot, block, blocks, buffer, offset);
    if (refused !== BlockSubmit.accepted) return refused;
    if (this.geometry.isReadOnly) return BlockSubmit.unsupported;
    return this.#accept(slot, Kind.write, block, blocks, buffer, offset, isForced);
  }

  flush(slot: number): BlockSubmit {
    const refused = this.#judge(slot, 0, 1);
    if (refused !== BlockSubmit.accepted) return refused;
    return this.#accept(slot, Kind.flush, 0, 0, null, 0, false);
  }

  trim(slot: number, block: number, blocks: number): BlockSubmit {
    const refused = this.#judge(slot, block, blocks);
    if (refused !== BlockSubmit.accepted) return refused;
    if (this.geometry.isReadOnly) return BlockSubmit.unsupported;
    return this.#accept(slot, Kind.trim, block, blocks, null, 0, false);
  }

  writeZeroes(
    slot: number,
    block: number,
    blocks: number,
    _mayTrim: boolean,
    isForced: boolean,
  ): BlockSubmit {
    const refused = this.#judge(slot, block, blocks);
    if (refused !== BlockSubmit.accepted) return refused;
    if (this.geometry.isReadOnly) return BlockSubmit.unsupported;
    return this.#accept(slot, Kind.zero, block, blocks, null, 0, isForced);
  }

  /** The power is cut: what is under way is met half way, and its owner is told a moment later. */
  leave(): void {
    this.#isGone = true;
    for (let slot = 0; slot < slots; slot++) {
      const kind = this.#kinds[slot];
      if (kind === Kind.write || kind === Kind.zero)
        this.#disk.tear(this.#blocks[slot], this.#counts[slot], this.#buffers[slot], this.#offsets[slot]);
    }
    this.#clock.after(0, this.#tellGone, undefined);
  }

  #judge(
    slot: number,
    block: number,
    blocks: number,
    buffer: Uint8Array | null = null,
    offset = 0,
  ): BlockSubmit {
    if (this.#isGone) return BlockSubmit.gone;
    // An index outside or a fraction has no kind at all.
    if (this.#kinds[slot] !== Kind.none) return BlockSubmit.badRequest;
    return judgeBlocks(this.geometry, block, blocks, buffer, offset);
  }

  #accept(
    slot: number,
    kind: number,
    block: number,
    blocks: number,
    buffer: Uint8Array | null,
    offset: number,
    isForced: boolean,
  ): BlockSubmit {
    this.#kinds[slot] = kind;
    this.#blocks[slot] = block;
    this.#counts[slot] = blocks;
    this.#buffers[slot] = buffer;
    this.#offsets[slot] = offset;
    this.#isForced[slot] = isForced ? 1 : 0;
    if (this.#mostNs > 0) {
      this.#clock.after(this.#random.between(this.#leastNs, this.#mostNs), this.#finish, slot);
      return BlockSubmit.accepted;
    }
    this.#due[(this.#dueStart + this.#dueCount++) % slots] = slot;
    if (!this.#isScheduled) {
      this.#isScheduled = true;
      this.#clock.after(0, this.#finishDue, undefined);
    }
    return BlockSubmit.accepted;
  }

  readonly #finishDue = (): void => {
    // What is submitted from inside a completion is due at the next event.
    let count = this.#dueCount;
    while (count-- > 0 && !this.#isGone) {
      const slot = this.#due[this.#dueStart];
      this.#dueStart = (this.#dueStart + 1) % slots;
      this.#dueCount--;
      this.#finish(slot);
    }
    this.#isScheduled = this.#dueCount > 0 && !this.#isGone;
    if (this.#isScheduled) this.#clock.after(0, this.#finishDue, undefined);
  };

  readonly #finish = (slot: number): void => {
    if (this.#isGone) return;
    const disk = this.#disk;
    const block = this.#blocks[slot];
    const blocks = this.#counts[slot];
    const buffer = this.#buffers[slot];
    const isForced = this.#isForced[slot] !== 0;
    switch (this.#kinds[slot]) {
      case Kind.read:
        disk.read(block, blocks, buffer as Uint8Array, this.#offsets[slot]);
        break;
      case Kind.write:
        disk.write(block, blocks, buffer, this.#offsets[slot], isForced);
        break;
      case Kind.flush:
        disk.flush();
        break;
      default:
        disk.write(block, blocks, null, 0, isForced);
    }
    this.#end(slot, BlockStatus.ok);
  };

  readonly #tellGone = (): void => {
    if (this.#client === null) return;
    for (let slot = 0; slot < slots; slot++)
      if (this.#kinds[slot] !== Kind.none) this.#end(slot, BlockStatus.gone);
    this.#client.detached();
  };

  #end(slot: number, status: BlockStatus): void {
    this.#kinds[slot] = Kind.none;
    this.#buffers[slot] = null;
    this.#client?.completed(slot, status);
  }
}
