// A two-way stream of bytes, as a socket or a WebSocket is one: what protocol machines speak through.

/** Told by the stream, never from inside a call of it. */
export interface ByteStreamClient {
  /** Bytes came; valid only during the call. */
  received(bytes: Uint8Array): void;
  /** After a `write` that answered false: the other side has taken enough to go on. */
  drained(): void;
  /** The other side closed, vanished, or `close` was called. Comes once, nothing comes after it. */
  closed(): void;
}

/** Whose memory was written from: for those who use it again. */
export interface ByteOwner {
  /**
   * The stream has read `count` bytes that this owner gave to `write` and does not look at them any more. Bytes come
   * back in order, not necessarily in the pieces that were written; what a stream that ends still holds never does.
   */
  released(count: number): void;
}

/** One connection. Whatever was written before `close` is still delivered if the other side lives. */
export interface ByteStream {
  /** Called once, before anything else; nothing is received before it. */
  connect(client: ByteStreamClient): void;
  /**
   * Sends `bytes`, which the stream owns from here, for good unless an owner is named. False: enough is waiting, go on
   * after `drained`.
   */
  write(bytes: Uint8Array, owner?: ByteOwner): boolean;
  /** Stops and starts `received`; what is under way may still come. */
  pause(): void;
  resume(): void;
  close(): void;
}
