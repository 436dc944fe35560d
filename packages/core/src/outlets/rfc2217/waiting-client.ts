// A client at the door of a port that somebody has: what it says is kept until it is let in.

import type { ByteOwner, ByteStream, ByteStreamClient } from "../../ports/byte-stream.ts";

/** More is not read of somebody who only waits. */
const keptMaximum = 4096;

/** As a stream of its own: whoever connects to it later hears what came before. */
export class WaitingClient implements ByteStream, ByteStreamClient {
  readonly #stream: ByteStream;
  readonly #onWord: (self: WaitingClient) => void;
  readonly #onGone: (self: WaitingClient) => void;
  #client: ByteStreamClient | null = null;
  #kept: Uint8Array[] = [];
  #keptBytes = 0;

  /** `onWord`: it has said something. `onGone`: it has closed before it was let in. */
  constructor(
    stream: ByteStream,
    onWord: (self: WaitingClient) => void,
    onGone: (self: WaitingClient) => void,
  ) {
    this.#stream = stream;
    this.#onWord = onWord;
    this.#onGone = onGone;
    stream.connect(this);
  }

  received(bytes: Uint8Array): void {
    if (this.#client !== null) {
      this.#client.received(bytes);
      return;
    }
    this.#kept.push(bytes.slice());
    this.#keptBytes += bytes.length;
    if (this.#keptBytes >= keptMaximum) this.#stream.pause();
    this.#onWord(this);
  }

  drained(): void {
    this.#client?.drained();
  }

  closed(): void {
    if (this.#client === null) this.#onGone(this);
    else this.#client.closed();
  }

  connect(client: ByteStreamClient): void {
    this.#client = client;
  }

  /** After `connect`, from outside of its calls: what came before. */
  handOver(): void {
    const kept = this.#kept;
    const wasPaused = this.#keptBytes >= keptMaximum;
    this.#kept = [];
    this.#keptBytes = 0;
    for (const bytes of kept) this.#client?.received(bytes);
    if (wasPaused) this.#stream.resume();
  }

  write(bytes: Uint8Array, owner?: ByteOwner): boolean {
    return this.#stream.write(bytes, owner);
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  close(): void {
    this.#stream.close();
  }
}
