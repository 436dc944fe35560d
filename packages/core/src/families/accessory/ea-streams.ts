// The two streams of an EASession: bytes without message boundaries, space that is granted in small pieces.

import type { RunLoop } from "./run-loop.ts";

/** NSStream.Event. */
export type StreamEvent =
  | "openCompleted"
  | "hasBytesAvailable"
  | "hasSpaceAvailable"
  | "errorOccurred"
  | "endEncountered";
export type StreamStatus = "notOpen" | "open" | "atEnd" | "closed" | "error";

export interface StreamDelegate {
  /** On the run loop that the stream is scheduled in. */
  stream(stream: EAInputStream | EAOutputStream, event: StreamEvent): void;
}

abstract class EAStream {
  delegate: StreamDelegate | null = null;
  #runLoop: RunLoop | null = null;
  protected status: StreamStatus = "notOpen";

  get streamStatus(): StreamStatus {
    return this.status;
  }

  /** No event comes to a stream that is scheduled nowhere. */
  schedule(runLoop: RunLoop): void {
    this.#runLoop = runLoop;
    if (this.status === "open") this.announce();
  }

  unschedule(): void {
    this.#runLoop = null;
  }

  open(): void {
    if (this.status !== "notOpen") return;
    this.status = "open";
    this.tell("openCompleted");
    this.announce();
  }

  close(): void {
    if (this.status === "closed") return;
    this.status = "closed";
    this.left();
  }

  /** The family's: the accessory is gone, or the session. */
  end(): void {
    if (this.status === "closed" || this.status === "atEnd") return;
    const wasOpen = this.status === "open";
    this.status = "atEnd";
    if (wasOpen) this.tell("endEncountered");
  }

  protected tell(event: StreamEvent): void {
    this.#runLoop?.perform(() => {
      // A stream that was closed meanwhile says nothing more.
      if (this.status === "closed") return;
      this.delegate?.stream(this as unknown as EAInputStream | EAOutputStream, event);
    });
  }

  /** Says what there is already. */
  protected abstract announce(): void;
  protected abstract left(): void;
}

/** What the accessory sent, in the pieces in which it came or others. */
export class EAInputStream extends EAStream {
  readonly #pieces: Uint8Array[] = [];
  #at = 0;
  #isAnnounced = false;
  #unread = 0;

  /** Bytes that came and were not read. */
  get unreadBytes(): number {
    return this.#unread;
  }

  get hasBytesAvailable(): boolean {
    return this.#pieces.length > 0;
  }

  /** Up to `maximum` bytes, which may be fewer than came and end anywhere in a message; none when there are none. */
  read(maximum: number): Uint8Array {
    this.#isAnnounced = false;
    const [first] = this.#pieces;
    if (first === undefined || this.status === "closed" || maximum <= 0) return new Uint8Array(0);
    const bytes = first.slice(this.#at, this.#at + maximum);
    this.#at += bytes.length;
    this.#unread -= bytes.length;
    if (this.#at >= first.length) {
      this.#pieces.shift();
      this.#at = 0;
    }
    this.announce();
    return bytes;
  }

  /** The family's: bytes came. */
  deliver(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.status === "closed") return;
    this.#pieces.push(bytes);
    this.#unread += bytes.length;
    this.announce();
  }

  protected override announce(): void {
    if (this.status !== "open" || this.#pieces.length === 0 || this.#isAnnounced) return;
    this.#isAnnounced = true;
    this.tell("hasBytesAvailable");
  }

  protected override left(): void {
    this.#pieces.length = 0;
    this.#unread = 0;
  }
}

/** Where the app writes: never more than there is space for. */
export class EAOutputStream extends EAStream {
  readonly #capacity: number;
  readonly #taken: (bytes: Uint8Array) => void;
  #used = 0;
  #isAnnounced = false;
  /** Calls of `write` after the end of the stream: a careful app has none. */
  writesAfterEnd = 0;

  /** `capacity`: bytes of one grant of space (128 is what the bench takes for the phone's). */
  constructor(capacity: number, taken: (bytes: Uint8Array) => void) {
    super();
    this.#capacity = capacity;
    this.#taken = taken;
  }

  get hasSpaceAvailable(): boolean {
    return this.status === "open" && this.#used < this.#capacity;
  }

  /** How many bytes were taken, which may be fewer; 0 without space; -1 when the stream is not open. */
  write(bytes: Uint8Array): number {
    if (this.status !== "open") {
      if (this.status === "atEnd") this.writesAfterEnd++;
      return -1;
    }
    this.#isAnnounced = false;
    const count = Math.min(bytes.length, this.#capacity - this.#used);
    if (count === 0) return 0;
    this.#used += count;
    this.#taken(bytes.slice(0, count));
    this.announce();
    return count;
  }

  /** The family's: so many bytes have left. Space is told once, and again only after the app has written. */
  drained(count: number): void {
    this.#used = Math.max(0, this.#used - count);
    this.announce();
  }

  protected override announce(): void {
    if (!this.hasSpaceAvailable || this.#isAnnounced) return;
    this.#isAnnounced = true;
    this.tell("hasSpaceAvailable");
  }

  protected override left(): void {}
}
