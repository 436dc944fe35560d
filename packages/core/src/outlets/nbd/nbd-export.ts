// One disk as NBD offers it: its size and flags, and its slots, which all connections share.

import type { Clock } from "../../base/clock.ts";
import { NbdFlag } from "../../codec/nbd/nbd.ts";
import { type BlockClient, type BlockPort, BlockRuns, type BlockStatus } from "../../ports/block.ts";
import type { ArenaBlock } from "../byte-arena.ts";
import { CrowdBudget } from "../crowd-budget.ts";
import type { NbdRequest } from "./nbd-request.ts";

/** A request longer than this is served in pieces of this, so that a connection's memory stays small. */
const longestPiece = 256 * 1024;
/** Where several connections use a disk at once, what they keep busy of it together: a small request waits for no more. */
const sharedBytes = 1 << 20;
/** Pieces up to this size are small: some slots are theirs alone, and they do not wait behind large ones. */
const smallBytes = 32 * 1024;
const smallSlots = 16;
/** Longest payload that a client is told to use; what is longer is refused. */
export const nbdPayloadMaximum = 32 << 20;

/** Whoever has slots of an export: one connection. */
export interface SlotUser {
  pieceDone(piece: NbdPiece, status: BlockStatus): void;
  /** After `wait`: a slot is free. */
  slotFree(): void;
  /** The disk left; every piece came back before. */
  exportGone(): void;
}

/** What goes to the disk in one slot: a whole request, or a part of a long one. Made once per slot. */
export class NbdPiece {
  readonly slot: number;
  user: SlotUser | null = null;
  request: NbdRequest | null = null;
  /** Where its bytes are, from `at` on; a read leaves room for a reply's header in front. */
  block: ArenaBlock | null = null;
  at = 0;
  reservedBytes = 0;
  /** Bytes of the disk. */
  offset = 0;
  length = 0;
  /** Of a block status request. */
  readonly runs = new BlockRuns();

  constructor(slot: number) {
    this.slot = slot;
  }
}

export interface NbdExportOptions {
  readonly description?: string;
  /** Offers a disk that could be written as one that cannot. */
  readonly isReadOnly?: boolean;
}

/** The permanent client of a disk's port. */
export class NbdExport implements BlockClient {
  readonly name: string;
  readonly description: string;
  readonly port: BlockPort;
  readonly sizeBytes: number;
  readonly blockBytes: number;
  readonly isReadOnly: boolean;
  /** Transmission flags; `sendDf` only counts where structured replies do. */
  readonly flags: number;
  /** Most bytes that go to the disk in one slot: with data, and without (trim, zeroes). */
  readonly pieceBytes: number;
  readonly rangeBytes: number;
  /** For disks that cannot make zeros by themselves. */
  readonly zeros: Uint8Array | null;
  readonly #pieces: NbdPiece[] = [];
  readonly #free: number[] = [];
  readonly #waiting = new Set<SlotUser>();
  /** Those that wait with a small piece. */
  readonly #waitingSmall = new Set<SlotUser>();
  readonly #clock: Clock;
  readonly #budget: CrowdBudget;
  /** Somebody waits for the budget. */
  #isPaced = false;
  readonly #users = new Set<SlotUser>();
  readonly #onGone: (self: NbdExport) => void;
  #isGone = false;
  /** Connections with something at the disk. */
  #busyUsers = 0;

  constructor(
    name: string,
    port: BlockPort,
    options: NbdExportOptions,
    clock: Clock,
    onGone: (self: NbdExport) => void,
  ) {
    this.#clock = clock;
    this.#budget = new CrowdBudget(clock);
    const { blockBytes, blockCount, canTrim, canWriteZeroes, isReadOnly, maximumBlocks } = port.geometry;
    this.name = name;
    this.description = options.description ?? "";
    this.port = port;
    this.blockBytes = blockBytes;
    this.sizeBytes = blockBytes * blockCount;
    this.isReadOnly = isReadOnly || options.isReadOnly === true;
    this.pieceBytes = Math.min(longestPiece, maximumBlocks * blockBytes);
    this.rangeBytes = maximumBlocks * blockBytes;
    this.zeros = canWriteZeroes ? null : new Uint8Array(this.pieceBytes);
    this.flags =
      NbdFlag.hasFlags |
      NbdFlag.sendFlush |
      // All connections reach one disk, so a flush of one covers what any of them was told is written.
      NbdFlag.canMultiConn |
      NbdFlag.sendDf |
      (this.isReadOnly
        ? NbdFlag.readOnly
        : NbdFlag.sendFua | NbdFlag.sendWriteZeroes | (canTrim ? NbdFlag.sendTrim : 0));
    this.#onGone = onGone;
    for (let slot = 0; slot < port.slotCount; slot++) {
      this.#pieces.push(new NbdPiece(slot));
      this.#free.push(port.slotCount - 1 - slot);
    }
    port.connect(this);
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  get userCount(): number {
    return this.#users.size;
  }

  /** A connection has its first piece at the disk; `quiet`: its last one came back. */
  busy(): void {
    this.#busyUsers++;
  }

  quiet(): void {
    this.#busyUsers--;
  }

  /** Bytes that one connection may keep busy. */
  get shareBytes(): number {
    return this.#busyUsers > 1 ? sharedBytes / this.#busyUsers : Number.POSITIVE_INFINITY;
  }

  join(user: SlotUser): void {
    this.#users.add(user);
  }

  leave(user: SlotUser): void {
    this.#users.delete(user);
    this.#waiting.delete(user);
    this.#waitingSmall.delete(user);
  }

  /** A free slot for so many bytes, with `user` as its owner; null when there is none. */
  take(user: SlotUser, bytes: number): NbdPiece | null {
    if (bytes > smallBytes) {
      if (this.#free.length <= smallSlots) return null;
      if (!this.#budget.take(bytes, this.#busyUsers + this.#waiting.size)) {
        this.#pace();
        return null;
      }
    }
    const slot = this.#free.pop();
    if (slot === undefined) return null;
    const piece = this.#pieces[slot];
    piece.user = user;
    return piece;
  }

  /** Gives a slot back; whoever waited longest is told. */
  give(piece: NbdPiece): void {
    piece.user = null;
    piece.request = null;
    piece.block = null;
    this.#free.push(piece.slot);
    if (this.#waitingSmall.size > 0) this.#tellFirst(this.#waitingSmall);
    else if (this.#free.length > smallSlots && !this.#isPaced) this.#tellFirst(this.#waiting);
  }

  /** True: there was one. */
  #tellFirst(list: Set<SlotUser>): boolean {
    const [first] = list;
    if (first === undefined) return false;
    list.delete(first);
    first.slotFree();
    return true;
  }

  #pace(): void {
    if (this.#isPaced) return;
    this.#isPaced = true;
    this.#clock.after(this.#budget.waitNs, this.#goOn, undefined);
  }

  readonly #goOn = (): void => {
    this.#isPaced = false;
    while (!this.#isPaced && this.#free.length > smallSlots && this.#tellFirst(this.#waiting));
  };

  /** Wants to be told of the next free slot for so many bytes. */
  wait(user: SlotUser, bytes: number): void {
    (bytes > smallBytes ? this.#waiting : this.#waitingSmall).add(user);
  }

  completed(slot: number, status: BlockStatus): void {
    const piece = this.#pieces[slot];
    piece.user?.pieceDone(piece, status);
  }

  detached(): void {
    this.#isGone = true;
    this.#onGone(this);
    for (const user of [...this.#users]) user.exportGone();
  }
}
