// IOMedia: a disk's medium as the kernel publishes it, and the BlockPort that everything above it uses.

import {
  type BlockClient,
  type BlockGeometry,
  type BlockPort,
  type BlockRuns,
  BlockStatus,
  BlockSubmit,
  judgeBlocks,
} from "../../ports/block.ts";
import type { Scheduler } from "../../runtime/scheduler.ts";
import { IOService, type ServiceContext } from "../../runtime/service.ts";
import type { FlushLedger } from "./flush-ledger.ts";

/** Requests of one disk at once. */
export const mediaSlots = 128;

/**
 * What stands below an IOMedia: a SCSI class driver, a block storage dext. Each call is checked and its slot free;
 * each is answered exactly once through `IOMedia.finished`, never inside the call.
 */
export interface BlockStorageBackend {
  read(slot: number, block: number, blocks: number, buffer: Uint8Array, offset: number): void;
  write(
    slot: number,
    block: number,
    blocks: number,
    buffer: Uint8Array,
    offset: number,
    isForced: boolean,
  ): void;
  flush(slot: number): void;
  trim(slot: number, block: number, blocks: number): void;
  writeZeroes(slot: number, block: number, blocks: number, mayTrim: boolean, isForced: boolean): void;
  /** Where holes are; left out by those that cannot know. */
  allocation?(slot: number, block: number, blocks: number, runs: BlockRuns): void;
}

/**
 * Published when a medium is ready and known; a changed capacity or a lost device is another IOMedia. Checks requests,
 * keeps the books of what is under way, and writes the uppermost lines of the flush ledger.
 */
export class IOMedia extends IOService implements BlockPort {
  readonly geometry: BlockGeometry;
  readonly slotCount = mediaSlots;
  readonly ledger: FlushLedger;
  readonly #backend: BlockStorageBackend;
  readonly #onGone: (() => void) | null;
  readonly #scheduler: Scheduler;
  readonly #isBusy = new Uint8Array(mediaSlots);
  readonly #isFlush = new Uint8Array(mediaSlots);
  #client: BlockClient | null = null;
  #pending = 0;
  #isGone = false;
  #isDetachTold = false;

  constructor(
    context: ServiceContext,
    geometry: BlockGeometry,
    backend: BlockStorageBackend,
    ledger: FlushLedger,
    /** Told when the medium goes: whoever stands below ends what is under way. */
    onGone: (() => void) | null = null,
  ) {
    super(context);
    this.#onGone = onGone;
    this.#scheduler = context.kernel.scheduler;
    this.geometry = geometry;
    this.ledger = ledger;
    this.#backend = backend;
  }

  /** Bytes of the whole medium. */
  get sizeBytes(): number {
    return this.geometry.blockBytes * this.geometry.blockCount;
  }

  /** Somebody has connected: a file system, a server. */
  get isOpen(): boolean {
    return this.#client !== null && !this.#isGone;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  connect(client: BlockClient): void {
    this.#client = client;
    if (this.#isGone) this.#scheduler.ready(tellDetached, this as IOMedia);
  }

  read(slot: number, block: number, blocks: number, buffer: Uint8Array, offset: number): BlockSubmit {
    const refused = this.#check(slot, block, blocks, buffer, offset, true);
    if (refused !== BlockSubmit.accepted) return refused;
    this.#begin(slot);
    this.#backend.read(slot, block, blocks, buffer, offset);
    return BlockSubmit.accepted;
  }

  write(
    slot: number,
    block: number,
    blocks: number,
    buffer: Uint8Array,
    offset: number,
    isForced: boolean,
  ): BlockSubmit {
    const refused = this.#check(slot, block, blocks, buffer, offset, true);
    if (refused !== BlockSubmit.accepted) return refused;
    if (this.geometry.isReadOnly) return BlockSubmit.unsupported;
    this.#begin(slot);
    this.#backend.write(slot, block, blocks, buffer, offset, isForced);
    return BlockSubmit.accepted;
  }

  flush(slot: number): BlockSubmit {
    if (this.#isGone) return BlockSubmit.gone;
    if (!this.#isFree(slot)) return BlockSubmit.badRequest;
    this.#begin(slot);
    this.#isFlush[slot] = 1;
    const counts = this.ledger.of("block layer");
    counts.requested++;
    counts.converted++;
    this.#backend.flush(slot);
    return BlockSubmit.accepted;
  }

  trim(slot: number, block: number, blocks: number): BlockSubmit {
    const refused = this.#check(slot, block, blocks, null, 0, this.geometry.canTrim);
    if (refused !== BlockSubmit.accepted) return refused;
    this.#begin(slot);
    this.#backend.trim(slot, block, blocks);
    return BlockSubmit.accepted;
  }

  writeZeroes(slot: number, block: number, blocks: number, mayTrim: boolean, isForced: boolean): BlockSubmit {
    const isPossible = this.geometry.canWriteZeroes && !this.geometry.isReadOnly;
    const refused = this.#check(slot, block, blocks, null, 0, isPossible);
    if (refused !== BlockSubmit.accepted) return refused;
    this.#begin(slot);
    this.#backend.writeZeroes(slot, block, blocks, mayTrim, isForced);
    return BlockSubmit.accepted;
  }

  allocation(slot: number, block: number, blocks: number, runs: BlockRuns): BlockSubmit {
    if (this.#isGone) return BlockSubmit.gone;
    if (this.#backend.allocation === undefined) return BlockSubmit.unsupported;
    const isInside = block >= 0 && blocks >= 1 && block + blocks <= this.geometry.blockCount;
    if (!this.#isFree(slot) || !isInside || block % 1 !== 0 || blocks % 1 !== 0)
      return BlockSubmit.badRequest;
    this.#begin(slot);
    this.#backend.allocation(slot, block, blocks, runs);
    return BlockSubmit.accepted;
  }

  /** The backend's answer. */
  finished(slot: number, status: BlockStatus): void {
    if (this.#isBusy[slot] === 0) return;
    this.#isBusy[slot] = 0;
    this.#pending--;
    if (this.#isFlush[slot] === 1) {
      this.#isFlush[slot] = 0;
      if (status !== BlockStatus.ok) this.ledger.of("block layer").failed++;
    }
    this.#client?.completed(slot, status);
    if (this.#isGone && this.#pending === 0) this.#scheduler.ready(tellDetached, this as IOMedia);
  }

  override willTerminate(): void {
    this.#isGone = true;
    this.#onGone?.();
    if (this.#pending === 0) this.#scheduler.ready(tellDetached, this as IOMedia);
  }

  /** Called by the scheduler. */
  tellDetached(): void {
    if (this.#isDetachTold || this.#client === null || this.#pending > 0) return;
    this.#isDetachTold = true;
    this.#client.detached();
  }

  #begin(slot: number): void {
    this.#isBusy[slot] = 1;
    this.#pending++;
  }

  #isFree(slot: number): boolean {
    return slot >= 0 && slot < mediaSlots && this.#isBusy[slot] === 0;
  }

  #check(
    slot: number,
    block: number,
    blocks: number,
    buffer: Uint8Array | null,
    offset: number,
    isPossible: boolean,
  ): BlockSubmit {
    if (this.#isGone) return BlockSubmit.gone;
    if (!isPossible) return BlockSubmit.unsupported;
    if (!this.#isFree(slot)) return BlockSubmit.badRequest;
    return judgeBlocks(this.geometry, block, blocks, buffer, offset);
  }
}

function tellDetached(media: IOMedia): void {
  media.tellDetached();
}
