// QEMU's stream netdev, and passt's: frames on a byte stream, each behind its length in four bytes, big-endian.

import { getU32be, putU32be } from "../../base/bytes.ts";
import type { Clock } from "../../base/clock.ts";
import { ethernetHeaderBytes, maximumTaggedFrameBytes } from "../../codec/ethernet/ethernet.ts";
import type { ByteStream, ByteStreamClient } from "../../ports/byte-stream.ts";
import type { FrameTaker } from "../../ports/ethernet.ts";

const lengthBytes = 4;
/** What QEMU's own buffer holds: more than that is no frame of anybody's, and the stream is out of step. */
const longestPiece = 4096 + 65_536;
const chunkBytes = 64 * 1024;
/** Waits for a reader that is slow; beyond that frames are lost, as they are on a wire. */
const waitingMaximum = 512 * 1024;

export interface StreamNetdevOptions {
  readonly clock: Clock;
  /** Takes what comes from the other side. */
  readonly to: FrameTaker;
  /** The other side came (null) or went: why. */
  readonly onConnection?: (ended: string | null) => void;
}

/**
 * One end of such a stream, at most one connection at a time: the newest. Give it frames with `frame`; they go out
 * together at the end of the step in which they came.
 */
export class StreamNetdev implements FrameTaker {
  /** Frames that were given while nobody was connected, or the other side read too slowly. */
  lostFrames = 0;
  /** Pieces from the other side whose length is no frame's: passed over. */
  badFrames = 0;
  sentFrames = 0;
  receivedFrames = 0;
  readonly #options: StreamNetdevOptions;
  #connection: Connection | null = null;

  constructor(options: StreamNetdevOptions) {
    this.#options = options;
  }

  get isConnected(): boolean {
    return this.#connection !== null;
  }

  /** A connection that was made or accepted. */
  accept(stream: ByteStream): void {
    const old = this.#connection;
    const connection = new Connection(this, stream, this.#options);
    this.#connection = connection;
    old?.end("another connection came");
    stream.connect(connection);
    this.#options.onConnection?.(null);
  }

  frame(bytes: Uint8Array, offset: number, length: number): void {
    if (this.#connection?.send(bytes, offset, length) === true) this.sentFrames++;
    else this.lostFrames++;
  }

  close(): void {
    this.#connection?.end("closed here");
  }

  /** Called by a connection: it is over. */
  ended(connection: object, why: string): void {
    if (this.#connection !== connection) return;
    this.#connection = null;
    this.#options.onConnection?.(why);
  }
}

class Connection implements ByteStreamClient {
  readonly #owner: StreamNetdev;
  readonly #stream: ByteStream;
  readonly #clock: Clock;
  readonly #to: FrameTaker;
  #isOver = false;
  #isBlocked = false;
  #isFlushDue = false;
  readonly #chunks: Uint8Array[] = [];
  #chunk = new Uint8Array(chunkBytes);
  #at = 0;
  #waiting = 0;
  readonly #held = new Uint8Array(lengthBytes + maximumTaggedFrameBytes);
  #heldBytes = 0;
  /** Bytes of a piece that is passed over. */
  #skip = 0;

  constructor(owner: StreamNetdev, stream: ByteStream, { clock, to }: StreamNetdevOptions) {
    this.#owner = owner;
    this.#stream = stream;
    this.#clock = clock;
    this.#to = to;
  }

  send(bytes: Uint8Array, offset: number, length: number): boolean {
    const total = lengthBytes + length;
    if (this.#isOver || this.#waiting + total > waitingMaximum || total > chunkBytes) return false;
    if (this.#at + total > chunkBytes) this.#closeChunk();
    putU32be(this.#chunk, this.#at, length);
    this.#chunk.set(bytes.subarray(offset, offset + length), this.#at + lengthBytes);
    this.#at += total;
    this.#waiting += total;
    if (!this.#isFlushDue) {
      this.#isFlushDue = true;
      this.#clock.after(0, this.#flush, undefined);
    }
    return true;
  }

  #closeChunk(): void {
    if (this.#at === 0) return;
    this.#chunks.push(this.#chunk.slice(0, this.#at));
    this.#at = 0;
  }

  readonly #flush = (): void => {
    this.#isFlushDue = false;
    if (this.#isOver) return;
    this.#closeChunk();
    while (!this.#isBlocked && this.#chunks.length > 0) {
      const chunk = this.#chunks.shift() as Uint8Array;
      this.#waiting -= chunk.length;
      this.#isBlocked = !this.#stream.write(chunk);
    }
  };

  drained(): void {
    this.#isBlocked = false;
    this.#flush();
  }

  received(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length && !this.#isOver) {
      if (this.#skip > 0) {
        const count = Math.min(this.#skip, bytes.length - at);
        this.#skip -= count;
        at += count;
        continue;
      }
      // The usual case: a whole piece lies in what came.
      if (this.#heldBytes === 0 && at + lengthBytes <= bytes.length) {
        const length = getU32be(bytes, at);
        const end = at + lengthBytes + length;
        if (end <= bytes.length && isFrame(length)) {
          this.#owner.receivedFrames++;
          this.#to.frame(bytes, at + lengthBytes, length);
          at = end;
          continue;
        }
      }
      at += this.#hold(bytes, at);
    }
  }

  /** Takes bytes of a piece that is cut; answers how many. */
  #hold(bytes: Uint8Array, at: number): number {
    const held = this.#held;
    if (this.#heldBytes < lengthBytes) {
      held[this.#heldBytes++] = bytes[at];
      if (this.#heldBytes < lengthBytes) return 1;
      const length = getU32be(held, 0);
      if (length > longestPiece) {
        this.end(`a piece of ${length} bytes was announced: no frame is so long, the stream is out of step`);
        return 1;
      }
      if (!isFrame(length)) {
        this.#owner.badFrames++;
        this.#skip = length;
        this.#heldBytes = 0;
      }
      return 1;
    }
    const length = getU32be(held, 0);
    const count = Math.min(lengthBytes + length - this.#heldBytes, bytes.length - at);
    held.set(bytes.subarray(at, at + count), this.#heldBytes);
    this.#heldBytes += count;
    if (this.#heldBytes === lengthBytes + length) {
      this.#heldBytes = 0;
      this.#owner.receivedFrames++;
      this.#to.frame(held, lengthBytes, length);
    }
    return count;
  }

  closed(): void {
    this.#over("the other side closed");
  }

  end(why: string): void {
    this.#over(why);
    this.#stream.close();
  }

  #over(why: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#owner.ended(this, why);
  }
}

const isFrame = (length: number): boolean =>
  length >= ethernetHeaderBytes && length <= maximumTaggedFrameBytes;
