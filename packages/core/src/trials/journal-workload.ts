// A journalled file system's writing habits as a workload: who wrote what when, and what was promised to be durable.

import { getU32le, putU32le } from "../base/bytes.ts";
import type { Random } from "../base/random.ts";
import { type BlockClient, type BlockPort, BlockStatus, BlockSubmit } from "../ports/block.ts";

const magic = 0x4a443147;
const journalStart = 8;
const journalBlocks = 96;
const homeStart = 256;
const homeBlocks = 48;
/** Blocks that the workload touches: the disk has at least so many. */
export const workloadBlocks = homeStart + homeBlocks;
const largestTransaction = 6;
/** Transactions between two checkpoints: the journal never wraps onto what is still needed. */
const transactionsPerCheckpoint = 4;

export const WorkloadBlock = { superblock: 1, descriptor: 2, data: 3, commit: 4 } as const;

/** A promise that was broken. */
export interface LostSector {
  readonly sector: number;
  /** The write that was promised, counted from 1, and what was found in its place: 0 for nothing of the workload's. */
  readonly promised: number;
  readonly found: number;
  /** What promised it: "flush 3", or "the forced write of sector 17". */
  readonly promise: string;
}

/** What is known of one sector. */
interface SectorBook {
  /** Newest write that was promised durable, and by what. */
  durable: number;
  promise: string;
  /** Newest write that completed. */
  completed: number;
}

interface PendingWrite {
  readonly block: number;
  readonly blocks: number;
  readonly version: number;
  readonly isForced: boolean;
}

/**
 * Transactions of 1 to 6 blocks: descriptor and data into the journal, a flush, then the commit block (forced, or
 * written and flushed); after that the transaction is acknowledged and its blocks are written home. Every fourth one is
 * followed by a checkpoint: flush, superblock, flush. Each block names its write, so that whatever is found after a cut
 * can be told apart.
 */
export class JournalWorkload implements BlockClient {
  readonly #port: BlockPort;
  readonly #random: Random;
  readonly #transactions: number;
  readonly #blockBytes: number;
  readonly #books = new Map<number, SectorBook>();
  readonly #writes = new Map<number, PendingWrite>();
  readonly #free: number[] = [];
  #version = 0;
  #pending = 0;
  #journalAt = 0;
  #next: (() => void) | null = null;
  /** Sectors whose completed writes the running flush covers, with the newest of them. */
  #covered: [number, number][] = [];
  #flushSlot = -1;
  #flushes = 0;
  #isDone = false;
  #failure: string | null = null;
  /** Transactions begun, and promised to their owner. */
  begun = 0;
  acknowledged = 0;
  forcedWrites = 0;

  constructor(port: BlockPort, random: Random, transactions: number) {
    this.#port = port;
    this.#random = random;
    this.#transactions = transactions;
    this.#blockBytes = port.geometry.blockBytes;
    if (port.geometry.blockCount < workloadBlocks)
      throw new RangeError(`the workload needs a disk of ${workloadBlocks} blocks`);
    for (let slot = 63; slot >= 0; slot--) this.#free.push(slot);
    port.connect(this);
  }

  get isDone(): boolean {
    return this.#isDone || this.#failure !== null;
  }

  /** Why it stopped before its end: a request failed, or the disk left. */
  get failure(): string | null {
    return this.#failure;
  }

  /** Flushes that were acknowledged. */
  get flushes(): number {
    return this.#flushes;
  }

  start(): void {
    this.#beginTransaction();
  }

  completed(slot: number, status: BlockStatus): void {
    this.#free.push(slot);
    this.#pending--;
    const write = this.#writes.get(slot);
    this.#writes.delete(slot);
    if (status !== BlockStatus.ok) {
      this.#failure ??= `a request ended with status ${status}`;
      return;
    }
    if (write !== undefined) this.#wrote(write);
    else if (slot === this.#flushSlot) this.#flushed();
    if (this.#pending > 0 || this.#failure !== null) return;
    const next = this.#next;
    this.#next = null;
    next?.();
  }

  detached(): void {
    this.#failure ??= "the disk left";
  }

  /** Compares what is on the disk with what was promised; the first in order of writing, null when all was kept. */
  firstLoss(read: (sector: number) => Uint8Array): LostSector | null {
    let first: LostSector | null = null;
    for (const [sector, book] of this.#books) {
      if (book.durable === 0) continue;
      const found = versionOf(read(sector), sector);
      if (found >= book.durable) continue;
      if (first === null || book.durable < first.promised)
        first = { sector, promised: book.durable, found, promise: book.promise };
    }
    return first;
  }

  /**
   * Mounts what is on the disk as a journalling file system does and answers the newest transaction that is whole.
   * Less than `acknowledged` is a broken promise.
   */
  recover(read: (sector: number) => Uint8Array): number {
    let last = 0;
    if (versionOf(read(0), 0) > 0 && getU32le(read(0), 12) === WorkloadBlock.superblock)
      last = getU32le(read(0), 16);
    const commits = new Map<number, boolean>();
    for (let at = 0; at < journalBlocks; at++) {
      const descriptor = read(journalStart + at);
      if (
        versionOf(descriptor, journalStart + at) === 0 ||
        getU32le(descriptor, 12) !== WorkloadBlock.descriptor
      )
        continue;
      const transaction = getU32le(descriptor, 16);
      const count = getU32le(descriptor, 20);
      let isWhole = at + count + 1 < journalBlocks;
      for (let index = 1; isWhole && index <= count + 1; index++) {
        const sector = journalStart + at + index;
        const bytes = read(sector);
        const kind = index <= count ? WorkloadBlock.data : WorkloadBlock.commit;
        isWhole =
          versionOf(bytes, sector) > 0 && getU32le(bytes, 12) === kind && getU32le(bytes, 16) === transaction;
      }
      if (isWhole) commits.set(transaction, true);
    }
    while (commits.has(last + 1)) last++;
    return last;
  }

  #beginTransaction(): void {
    if (this.begun === this.#transactions) {
      this.#isDone = true;
      return;
    }
    const transaction = ++this.begun;
    const count = 1 + this.#random.below(largestTransaction);
    // A transaction lies in one row; what does not fit goes to the beginning.
    if (this.#journalAt + count + 2 > journalBlocks) this.#journalAt = 0;
    const at = journalStart + this.#journalAt;
    this.#journalAt += count + 2;
    const homes = Array.from({ length: count }, () => homeStart + this.#random.below(homeBlocks));
    this.#write(at, 1, WorkloadBlock.descriptor, transaction, count, false);
    // In one request, or each block in its own.
    if (this.#random.chance(0.5)) this.#write(at + 1, count, WorkloadBlock.data, transaction, 0, false);
    else
      for (let index = 0; index < count; index++)
        this.#write(at + 1 + index, 1, WorkloadBlock.data, transaction, 0, false);
    this.#then(() => this.#flush(() => this.#commit(transaction, at + 1 + count, homes)));
  }

  #commit(transaction: number, at: number, homes: readonly number[]): void {
    const isForced = this.#random.chance(0.3);
    this.#write(at, 1, WorkloadBlock.commit, transaction, 0, isForced);
    const acknowledge = () => {
      this.acknowledged = transaction;
      for (const home of new Set(homes)) this.#write(home, 1, WorkloadBlock.data, transaction, 0, false);
      this.#then(() => this.#checkpoint(transaction));
    };
    this.#then(isForced ? acknowledge : () => this.#flush(acknowledge));
  }

  #checkpoint(transaction: number): void {
    if (transaction % transactionsPerCheckpoint !== 0) {
      this.#beginTransaction();
      return;
    }
    this.#flush(() => {
      this.#write(0, 1, WorkloadBlock.superblock, transaction, 0, false);
      this.#then(() => this.#flush(() => this.#beginTransaction()));
    });
  }

  /** Goes on when all that is under way has completed; at once if nothing is. */
  #then(next: () => void): void {
    if (this.#failure !== null) return;
    this.#next = next;
  }

  #write(
    block: number,
    blocks: number,
    kind: number,
    transaction: number,
    count: number,
    isForced: boolean,
  ): void {
    const version = ++this.#version;
    if (isForced) this.forcedWrites++;
    const buffer = new Uint8Array(blocks * this.#blockBytes);
    for (let index = 0; index < blocks; index++) {
      const at = index * this.#blockBytes;
      buffer.fill(version & 0xff, at, at + this.#blockBytes);
      putU32le(buffer, at, magic);
      putU32le(buffer, at + 4, version);
      putU32le(buffer, at + 8, block + index);
      putU32le(buffer, at + 12, kind);
      putU32le(buffer, at + 16, transaction);
      putU32le(buffer, at + 20, count);
      putU32le(buffer, at + this.#blockBytes - 4, version);
    }
    this.#submit((slot) => {
      this.#writes.set(slot, { block, blocks, version, isForced });
      return this.#port.write(slot, block, blocks, buffer, 0, isForced);
    });
  }

  #flush(next: () => void): void {
    this.#covered = [...this.#books].map(([sector, book]) => [sector, book.completed]);
    this.#submit((slot) => {
      this.#flushSlot = slot;
      return this.#port.flush(slot);
    });
    this.#then(next);
  }

  #submit(submit: (slot: number) => BlockSubmit): void {
    const slot = this.#free.pop();
    if (slot === undefined) throw new RangeError("the workload has no slot left");
    this.#pending++;
    const submitted = submit(slot);
    if (submitted === BlockSubmit.accepted) return;
    this.#pending--;
    this.#free.push(slot);
    this.#writes.delete(slot);
    this.#failure ??=
      submitted === BlockSubmit.gone ? "the disk left" : `a request was refused with ${submitted}`;
  }

  #wrote({ block, blocks, isForced, version }: PendingWrite): void {
    for (let sector = block; sector < block + blocks; sector++) {
      let book = this.#books.get(sector);
      if (book === undefined) {
        book = { durable: 0, promise: "", completed: 0 };
        this.#books.set(sector, book);
      }
      book.completed = Math.max(book.completed, version);
      if (!isForced) continue;
      book.durable = Math.max(book.durable, version);
      book.promise = `the forced write of sector ${sector}`;
    }
  }

  #flushed(): void {
    this.#flushSlot = -1;
    this.#flushes++;
    for (const [sector, version] of this.#covered) {
      const book = this.#books.get(sector) as SectorBook;
      if (version <= book.durable) continue;
      book.durable = version;
      book.promise = `flush ${this.#flushes}`;
    }
  }
}

/** Which write a block came from; 0 when it is none of the workload's for this sector, or torn. */
function versionOf(bytes: Uint8Array, sector: number): number {
  if (getU32le(bytes, 0) !== magic || getU32le(bytes, 8) !== sector) return 0;
  const version = getU32le(bytes, 4);
  return getU32le(bytes, bytes.length - 4) === version ? version : 0;
}
