// What holds the bytes of a modelled disk: memory, a file. Synchronous, so that a disk's fast path is a plain call.

/** How an access ended. */
export const StoreResult = {
  ok: 0,
  /** The store could not do it; a disk answers with a medium error. */
  failed: 1,
  /** The store is full. */
  noSpace: 2,
  /** Of `flush` alone: not known yet, `done` will say. */
  later: 3,
} as const;
export type StoreResult = (typeof StoreResult)[keyof typeof StoreResult];

/**
 * Bytes 0 to `lengthBytes - 1`, below 2^53. Offsets and lengths are whole units of 512 bytes and lie inside: the disk
 * checks them. Nothing is kept of the arrays handed in.
 */
export interface BlockStore {
  readonly lengthBytes: number;
  /** Discarded ranges are remembered as unmapped and read as zeros. False: everything is always mapped. */
  readonly canDiscard: boolean;
  read(at: number, into: Uint8Array, offset: number, length: number): StoreResult;
  write(at: number, from: Uint8Array, offset: number, length: number): StoreResult;
  /** Afterwards the range reads as zeros; a store that can discard gives its room back. */
  discard(at: number, length: number): StoreResult;
  /**
   * How far, from `at` on and at most `length` bytes, everything is mapped (the answer is positive) or unmapped
   * (negative). Never 0.
   */
  mappedRun(at: number, length: number): number;
  /**
   * Everything that was written and discarded before this call survives the end of the host process. `later`: `done`
   * is told exactly once how it ended, as a step of whoever runs the disk, never inside this call; otherwise `done` is
   * not used. What a flush could not keep stays lost: after a failed one, every later one fails too.
   */
  flush(done: (result: StoreResult) => void): StoreResult;
}
