// Random writes on a disk, several at once, each remembered; then everything is read back and compared.

import type { Random } from "../base/random.ts";
import { type BlockPort, BlockStatus, BlockSubmit } from "../ports/block.ts";

export interface RandomWritesOptions {
  readonly random: Random;
  /** Bytes to write in all. */
  readonly totalBytes: number;
  /** Requests at once; default 32. */
  readonly depth?: number;
  /** Bytes of the largest write; default 64 KiB, or what the disk takes. */
  readonly largestBytes?: number;
  /** The part of the disk that is used, from its start; default all of it, at most 64 MiB. */
  readonly spanBytes?: number;
}

/** What came of it. */
export interface RandomWritesResult {
  readonly writes: number;
  readonly reads: number;
  readonly bytesWritten: number;
  /** Requests that ended with an error, by status. */
  readonly failures: Readonly<Record<number, number>>;
  /** First byte that read back wrong; null: none. */
  readonly wrongAt: number | null;
  readonly isDetached: boolean;
}

const spanMaximum = 64 << 20;

/**
 * Started on a step of the disk's own scheduler; `onEnd` is called there, too, when every request has completed. Two
 * writes that overlap are never under way together, so what must be read is known.
 */
export function startRandomWrites(
  media: BlockPort,
  options: RandomWritesOptions,
  onEnd: (result: RandomWritesResult) => void,
): void {
  new RandomWrites(media, options, onEnd).start();
}

class RandomWrites {
  readonly #media: BlockPort;
  readonly #random: Random;
  readonly #onEnd: (result: RandomWritesResult) => void;
  readonly #depth: number;
  readonly #blocksMost: number;
  readonly #totalBytes: number;
  readonly #model: Uint8Array;
  /** Blocks that this run has written: what was there before is nobody's to judge. */
  readonly #isKnown: Uint8Array;
  readonly #buffers: Uint8Array[];
  readonly #starts: Float64Array;
  readonly #counts: Float64Array;
  readonly #failures: Record<number, number> = {};
  #phase: "writing" | "flushing" | "reading" | "ended" = "writing";
  #writes = 0;
  #reads = 0;
  #bytesWritten = 0;
  #pending = 0;
  #readAt = 0;
  #wrongAt: number | null = null;
  #isDetached = false;
  #isFailed = false;

  constructor(media: BlockPort, options: RandomWritesOptions, onEnd: (result: RandomWritesResult) => void) {
    const { blockBytes, blockCount, maximumBlocks } = media.geometry;
    this.#media = media;
    this.#random = options.random;
    this.#onEnd = onEnd;
    this.#depth = Math.min(options.depth ?? 32, media.slotCount);
    this.#blocksMost = Math.min(Math.floor((options.largestBytes ?? 65536) / blockBytes), maximumBlocks);
    this.#totalBytes = options.totalBytes;
    const span = Math.min(options.spanBytes ?? spanMaximum, blockBytes * blockCount);
    this.#model = new Uint8Array(Math.floor(span / blockBytes) * blockBytes);
    this.#isKnown = new Uint8Array(this.#model.length / blockBytes);
    this.#buffers = Array.from({ length: this.#depth }, () => new Uint8Array(this.#blocksMost * blockBytes));
    this.#starts = new Float64Array(this.#depth);
    this.#counts = new Float64Array(this.#depth);
  }

  start(): void {
    this.#media.connect({
      completed: (slot, status) => this.#completed(slot, status),
      detached: () => {
        this.#isDetached = true;
        this.#endIfIdle();
      },
    });
    for (let slot = 0; slot < this.#depth; slot++) this.#next(slot);
    this.#endIfIdle();
  }

  #completed(slot: number, status: BlockStatus): void {
    this.#pending--;
    const { blockBytes } = this.#media.geometry;
    const start = this.#starts[slot];
    const length = this.#counts[slot] * blockBytes;
    if (status !== BlockStatus.ok) {
      this.#failures[status] = (this.#failures[status] ?? 0) + 1;
      this.#isFailed = true;
    } else if (this.#phase === "reading") this.#compare(slot, start * blockBytes, length);
    this.#counts[slot] = 0;
    this.#next(slot);
    this.#endIfIdle();
  }

  #next(slot: number): void {
    if (this.#isFailed || this.#isDetached || this.#phase === "ended") return;
    if (this.#phase === "writing") {
      if (this.#bytesWritten < this.#totalBytes) {
        this.#write(slot);
        return;
      }
      if (this.#pending > 0) return;
      this.#phase = "flushing";
      this.#take(slot, this.#media.flush(slot));
      return;
    }
    if (this.#phase === "flushing") {
      if (this.#pending > 0) return;
      this.#phase = "reading";
      for (let each = 0; each < this.#depth; each++) this.#read(each);
      return;
    }
    this.#read(slot);
  }

  #write(slot: number): void {
    const { blockBytes } = this.#media.geometry;
    const blocks = this.#model.length / blockBytes;
    const count = 1 + this.#random.below(this.#blocksMost);
    let start = this.#random.below(blocks - count + 1);
    for (let tries = 0; this.#overlaps(start, count); tries++) {
      if (tries > 100) return;
      start = this.#random.below(blocks - count + 1);
    }
    const buffer = this.#buffers[slot];
    const words = new Uint32Array(buffer.buffer, 0, (count * blockBytes) / 4);
    let word = this.#random.next32();
    for (let at = 0; at < words.length; at++) {
      word = (Math.imul(word, 1664525) + 1013904223) >>> 0;
      words[at] = word;
    }
    this.#model.set(buffer.subarray(0, count * blockBytes), start * blockBytes);
    this.#isKnown.fill(1, start, start + count);
    this.#starts[slot] = start;
    this.#counts[slot] = count;
    this.#writes++;
    this.#bytesWritten += count * blockBytes;
    this.#take(slot, this.#media.write(slot, start, count, buffer, 0, false));
  }

  #read(slot: number): void {
    const { blockBytes } = this.#media.geometry;
    const left = (this.#model.length - this.#readAt) / blockBytes;
    if (left === 0) return;
    const count = Math.min(left, this.#blocksMost);
    this.#starts[slot] = this.#readAt / blockBytes;
    this.#counts[slot] = count;
    this.#readAt += count * blockBytes;
    this.#reads++;
    this.#take(slot, this.#media.read(slot, this.#starts[slot], count, this.#buffers[slot], 0));
  }

  #take(slot: number, submitted: BlockSubmit): void {
    if (submitted === BlockSubmit.accepted) this.#pending++;
    else {
      this.#counts[slot] = 0;
      this.#isFailed = true;
    }
  }

  #compare(slot: number, at: number, length: number): void {
    const buffer = this.#buffers[slot];
    const left = new Uint32Array(buffer.buffer, 0, length / 4);
    const right = new Uint32Array(this.#model.buffer, at, length / 4);
    const wordsOfBlock = this.#media.geometry.blockBytes / 4;
    for (let word = 0; word < left.length; word++) {
      if (left[word] === right[word]) continue;
      const block = this.#starts[slot] + Math.floor(word / wordsOfBlock);
      if (this.#isKnown[block] === 0) continue;
      this.#wrongAt = Math.min(this.#wrongAt ?? Number.POSITIVE_INFINITY, at + word * 4);
      return;
    }
  }

  #overlaps(start: number, count: number): boolean {
    for (let slot = 0; slot < this.#depth; slot++)
      if (
        this.#counts[slot] > 0 &&
        start < this.#starts[slot] + this.#counts[slot] &&
        this.#starts[slot] < start + count
      )
        return true;
    return false;
  }

  #endIfIdle(): void {
    if (this.#pending > 0 || this.#phase === "ended") return;
    const isRead = this.#phase === "reading" && this.#readAt === this.#model.length;
    // A disk that left says so after its last completion.
    if (!isRead && !this.#isDetached && !this.#isFailed) return;
    this.#phase = "ended";
    this.#onEnd({
      writes: this.#writes,
      reads: this.#reads,
      bytesWritten: this.#bytesWritten,
      failures: this.#failures,
      wrongAt: this.#wrongAt,
      isDetached: this.#isDetached,
    });
  }
}
