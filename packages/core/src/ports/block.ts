// What a disk is to whoever reads and writes blocks: brought up by our drivers, by an NBD client, or held in memory.

/** How a request ended. Plain numbers, as on every hot path (node-performance.md §7). */
export const BlockStatus = {
  ok: 0,
  /** The medium or the way to it failed; a message for people is in the log of whoever knows. */
  ioError: 1,
  /** Some block cannot be read or written. */
  mediumError: 2,
  writeProtected: 3,
  /** No room left in a thinly provisioned store. */
  noSpace: 4,
  /** The disk left; nothing will ever be accepted again. */
  gone: 5,
  /** `cancel`-like: the owner of the disk aborted it. */
  aborted: 6,
  /** The disk said that it could, and refuses: nothing was changed. It will not do it next time either. */
  unsupported: 7,
} as const;
export type BlockStatus = (typeof BlockStatus)[keyof typeof BlockStatus];

/** Accepted means exactly one completion; refused means none. */
export const BlockSubmit = {
  accepted: 0,
  gone: 1,
  /** Outside the disk, more than `maximumBlocks`, a buffer too small, or a slot in use. */
  badRequest: 2,
  /** The disk does not do this (`trim` without `canTrim`, a write on a read-only disk). */
  unsupported: 3,
} as const;
export type BlockSubmit = (typeof BlockSubmit)[keyof typeof BlockSubmit];

/** Told by the disk; never from inside a call of it. */
export interface BlockClient {
  /** The request in `slot` is over; its buffer is the caller's again, the slot may be used inside this call. */
  completed(slot: number, status: BlockStatus): void;
  /** The disk left. Everything accepted has completed before. Comes once. */
  detached(): void;
}

/** Most runs in one answer. */
export const blockRunMaximum = 64;

/** Where a disk has data and where nothing: the asker's, filled by the disk before it completes. */
export class BlockRuns {
  /** 1 or more after `ok`. */
  count = 0;
  /** Lengths, one after the other from the block that was asked for. */
  readonly blocks: Float64Array = new Float64Array(blockRunMaximum);
  /** 1: nothing is kept there, and it reads as zeros. */
  readonly isHole: Uint8Array = new Uint8Array(blockRunMaximum);

  /** One run of data: what is said of a disk that does not tell. */
  allData(blocks: number): void {
    this.count = 1;
    this.blocks[0] = blocks;
    this.isHole[0] = 0;
  }
}

/** What can be known about a disk before using it. */
export interface BlockGeometry {
  /** Bytes in a logical block: a power of two, 512 to 65536. */
  readonly blockBytes: number;
  /** Below 2^53. */
  readonly blockCount: number;
  /** Most blocks in one request, also of a trim: 16 or more. */
  readonly maximumBlocks: number;
  readonly isReadOnly: boolean;
  /** Writes may be lost at a power cut until `flush`; false: every write is durable. */
  readonly hasWriteCache: boolean;
  readonly canTrim: boolean;
  readonly canWriteZeroes: boolean;
}

/**
 * A disk. Requests are named by a slot that the caller chooses (0 to `slotCount - 1`) so that the data path allocates
 * nothing; they may complete in any order. A flush covers the writes that completed before it was submitted.
 */
export interface BlockPort {
  readonly geometry: BlockGeometry;
  /** At least 64. */
  readonly slotCount: number;
  /** Once, before anything else. */
  connect(client: BlockClient): void;
  /** Reads `blocks` (1 or more) from `block` on into `buffer` at `offset`, which is the disk's until completion. */
  read(slot: number, block: number, blocks: number, buffer: Uint8Array, offset: number): BlockSubmit;
  /** `isForced`: on the medium before it completes (FUA). */
  write(
    slot: number,
    block: number,
    blocks: number,
    buffer: Uint8Array,
    offset: number,
    isForced: boolean,
  ): BlockSubmit;
  flush(slot: number): BlockSubmit;
  /** The blocks' contents are not needed any more; what they read as afterwards is the disk's choice. */
  trim(slot: number, block: number, blocks: number): BlockSubmit;
  /** Afterwards they read as zeros. `mayTrim`: they may be deallocated. */
  writeZeroes(slot: number, block: number, blocks: number, mayTrim: boolean, isForced: boolean): BlockSubmit;
  /**
   * Which of `blocks` (1 or more, any number; `maximumBlocks` is no limit here) from `block` on are holes. The answer may
   * end earlier, and never later. Left out by disks that do not know; `unsupported` from one that finds out.
   */
  allocation?(slot: number, block: number, blocks: number, runs: BlockRuns): BlockSubmit;
}

/**
 * The checks that every disk makes of a request's place: whole blocks, one or more, no more than `maximumBlocks`, none
 * past the end, and a buffer that holds them (null: the request has none). Accepted or badRequest.
 */
export function judgeBlocks(
  geometry: BlockGeometry,
  block: number,
  blocks: number,
  buffer: Uint8Array | null,
  offset: number,
): BlockSubmit {
  const { blockBytes, blockCount, maximumBlocks } = geometry;
  // Comparisons this way round refuse NaN as well.
  if (!(block >= 0) || !(blocks >= 1) || !(blocks <= maximumBlocks) || !(block + blocks <= blockCount))
    return BlockSubmit.badRequest;
  if (block % 1 !== 0 || blocks % 1 !== 0) return BlockSubmit.badRequest;
  if (buffer === null) return BlockSubmit.accepted;
  const isHeld = offset >= 0 && offset % 1 === 0 && offset + blocks * blockBytes <= buffer.length;
  return isHeld ? BlockSubmit.accepted : BlockSubmit.badRequest;
}
