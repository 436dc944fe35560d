// Reads of one IN endpoint over an interface that cannot take a read back: late bytes go to the next reader.

import { UsbStatus } from "../../ports/usb-host.ts";

/** Somebody who waits for bytes. */
export interface Reader {
  readonly buffer: Uint8Array;
  readonly offset: number;
  readonly length: number;
  moved: number;
  /** Called once, inside `arrived`, `failed` or `pump`. */
  end(status: UsbStatus): void;
}

/** What came and nobody has taken yet. */
interface Arrival {
  readonly bytes: Uint8Array;
  at: number;
  /** The device ended the transfer here (a short packet), or with something else than `ok`. */
  readonly status: UsbStatus;
  readonly isShort: boolean;
}

/**
 * Readers and the transfers that were asked of the device are counted apart: a reader that gives up leaves its
 * transfer behind, and the next reader is served by it instead of asking again. No packet is lost, and
 * readers are served in order. A left-behind transfer that was smaller than the next reader wants is followed by
 * another for the rest; what is larger is kept.
 */
export class ReadStream {
  readonly #ask: (length: number) => void;
  readonly #packetBytes: number;
  readonly #readers: Reader[] = [];
  readonly #arrivals: Arrival[] = [];
  #underway = 0;

  /** `ask` starts a transfer; each ends with one call of `arrived` or `aborted`, in order, never inside `ask`. */
  constructor(packetBytes: number, ask: (length: number) => void) {
    this.#packetBytes = Math.max(1, packetBytes);
    this.#ask = ask;
  }

  /** Bytes that came for readers who had given up, and wait for the next one. */
  get keptBytes(): number {
    return this.#arrivals.reduce((sum, { bytes, at }) => sum + bytes.length - at, 0);
  }

  /** Something waits for the next reader: call `pump`, later, after `add`. */
  get hasArrivals(): boolean {
    return this.#arrivals.length > 0;
  }

  add(reader: Reader): void {
    this.#readers.push(reader);
    if (this.#arrivals.length === 0) this.#askFor(reader);
  }

  /** False when it is not waiting any more. */
  remove(reader: Reader): boolean {
    const at = this.#readers.indexOf(reader);
    if (at >= 0) this.#readers.splice(at, 1);
    return at >= 0;
  }

  /** A transfer for `asked` bytes is over. */
  arrived(bytes: Uint8Array, asked: number, status: UsbStatus): void {
    this.#underway--;
    this.#arrivals.push({ bytes, at: 0, status, isShort: bytes.length < asked });
    this.pump();
  }

  /** A transfer was taken back by somebody: the first reader that has none now ends with `cancelled`. */
  aborted(): void {
    this.#underway--;
    if (this.#readers.length > this.#underway) this.#readers.shift()?.end(UsbStatus.cancelled);
  }

  /** Ends every reader and forgets what was kept. Transfers still under way are not this stream's any more. */
  endAll(status: UsbStatus): void {
    this.#arrivals.length = 0;
    for (const reader of this.#readers.splice(0)) reader.end(status);
  }

  /** Serves readers from what has come. */
  pump(): void {
    while (this.#arrivals.length > 0 && this.#readers.length > 0) {
      const arrival = this.#arrivals[0];
      const reader = this.#readers[0];
      const count = Math.min(arrival.bytes.length - arrival.at, reader.length - reader.moved);
      reader.buffer.set(arrival.bytes.subarray(arrival.at, arrival.at + count), reader.offset + reader.moved);
      reader.moved += count;
      arrival.at += count;
      // A reader that ends inside a packet sees babble, as it would have on the wire; the rest of the packet is lost.
      const isBabble = arrival.at < arrival.bytes.length && arrival.at % this.#packetBytes !== 0;
      if (isBabble)
        arrival.at = Math.min(
          arrival.bytes.length,
          Math.ceil(arrival.at / this.#packetBytes) * this.#packetBytes,
        );
      const isDrained = arrival.at === arrival.bytes.length;
      if (isBabble) this.#finish(UsbStatus.overflow, isDrained);
      else if (isDrained && arrival.status !== UsbStatus.ok) this.#finish(arrival.status, true);
      else if (reader.moved === reader.length) {
        // A zero-length packet behind the last whole packet is the next reader's, as on the wire.
        const endsByPacket = arrival.bytes.length % this.#packetBytes !== 0;
        const isOver = isDrained && (!arrival.isShort || endsByPacket || arrival.bytes.length === 0);
        this.#finish(UsbStatus.ok, isOver);
      } else if (arrival.isShort) this.#finish(UsbStatus.ok, true);
      else {
        this.#arrivals.shift();
        if (this.#arrivals.length === 0) this.#askFor(reader);
      }
    }
  }

  #finish(status: UsbStatus, isOver: boolean): void {
    if (isOver) this.#arrivals.shift();
    const reader = this.#readers.shift();
    reader?.end(status);
    // Readers that came while something was kept have asked for nothing yet.
    if (this.#arrivals.length > 0) return;
    for (const other of this.#readers) this.#askFor(other);
  }

  /** Unless a transfer is under way for each reader already. */
  #askFor(reader: Reader): void {
    if (this.#underway >= this.#readers.length) return;
    this.#underway++;
    this.#ask(reader.length - reader.moved);
  }
}
