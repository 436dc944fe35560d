// Two ends of a stream in memory, under virtual time: for protocol machines that meet in one process.

import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import type { ByteOwner, ByteStream, ByteStreamClient } from "../ports/byte-stream.ts";

export interface MemoryStreamOptions {
  readonly clock: Clock;
  /** Cuts what is sent into pieces of any size, as networks do. Absent: each write arrives as it was. */
  readonly random?: Random;
  /** From write to arrival. Default 0, still asynchronous. */
  readonly latencyNs?: number;
}

/** Bytes that may wait at one end before `write` answers false. */
const highWater = 256 * 1024;
const largestPiece = 4096;

class MemoryStream implements ByteStream {
  readonly #options: MemoryStreamOptions;
  readonly #queue: Uint8Array[] = [];
  /** Who wrote each of the queue. */
  readonly #owners: (ByteOwner | undefined)[] = [];
  #queuedBytes = 0;
  #client: ByteStreamClient | null = null;
  #peer: MemoryStream | null = null;
  #isPaused = false;
  #isClosed = false;
  #isEnding = false;
  #isScheduled = false;
  #peerWaits = false;

  constructor(options: MemoryStreamOptions) {
    this.#options = options;
  }

  join(peer: MemoryStream): void {
    this.#peer = peer;
  }

  connect(client: ByteStreamClient): void {
    this.#client = client;
    this.#schedule();
  }

  write(bytes: Uint8Array, owner?: ByteOwner): boolean {
    if (this.#isClosed || this.#peer === null) return true;
    return this.#peer.arrive(bytes, owner);
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#schedule();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#queue.length = 0;
    this.#owners.length = 0;
    this.#options.clock.after(this.#options.latencyNs ?? 0, tellClosed, this.#client);
    this.#peer?.end();
  }

  arrive(bytes: Uint8Array, owner: ByteOwner | undefined): boolean {
    if (this.#isClosed || bytes.length === 0) return true;
    this.#queue.push(bytes);
    this.#owners.push(owner);
    this.#queuedBytes += bytes.length;
    this.#schedule();
    if (this.#queuedBytes <= highWater) return true;
    this.#peerWaits = true;
    return false;
  }

  /** The other side has closed: what it sent before comes first. */
  end(): void {
    this.#isEnding = true;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isPaused || this.#isClosed || this.#client === null) return;
    if (this.#queue.length === 0 && !this.#isEnding) return;
    this.#isScheduled = true;
    this.#options.clock.after(this.#options.latencyNs ?? 0, this.#deliver, undefined);
  }

  readonly #deliver = (): void => {
    this.#isScheduled = false;
    if (this.#isPaused || this.#isClosed || this.#client === null) return;
    let piece = this.#queue.shift();
    if (piece === undefined) {
      if (!this.#isEnding) return;
      this.#isClosed = true;
      this.#client.closed();
      return;
    }
    const owner = this.#owners.shift();
    const { random } = this.#options;
    if (random !== undefined) {
      const length = 1 + random.below(Math.min(piece.length, largestPiece));
      if (length < piece.length) {
        this.#queue.unshift(piece.subarray(length));
        this.#owners.unshift(owner);
        piece = piece.subarray(0, length);
      }
    }
    this.#queuedBytes -= piece.length;
    this.#client.received(piece);
    owner?.released(piece.length);
    if (this.#peerWaits && this.#queuedBytes * 2 < highWater) {
      this.#peerWaits = false;
      this.#peer?.tellDrained();
    }
    this.#schedule();
  };

  tellDrained(): void {
    if (!this.#isClosed) this.#client?.drained();
  }
}

function tellClosed(client: ByteStreamClient | null): void {
  client?.closed();
}

/** Two connected ends. */
export function memoryStreamPair(options: MemoryStreamOptions): [ByteStream, ByteStream] {
  const [left, right] = [new MemoryStream(options), new MemoryStream(options)];
  left.join(right);
  right.join(left);
  return [left, right];
}
