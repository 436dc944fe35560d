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

/** One connection. Whatever was written before `close` is still delivered if the other side lives. */
export interface ByteStream {
  /** Called once, before anything else; nothing is received before it. */
  connect(client: ByteStreamClient): void;
  /** Sends `bytes`, which the stream owns from here. False: enough is waiting, go on after `drained`. */
  write(bytes: Uint8Array): boolean;
  /** Stops and starts `received`; what is under way may still come. */
  pause(): void;
  resume(): void;
  close(): void;
}
