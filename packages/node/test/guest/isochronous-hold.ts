// When the wire waits for an emulated host: a stream is under way and the host has not yet brought its next packets.

import {
  UsbStatus as Status,
  type UsbHostPort,
  type UsbPackets,
  type UsbStatus,
  UsbSubmit,
} from "@drydock/core/ports/usb-host";
import { UsbHostFilter } from "@drydock/core/ports/usb-host-filter";

const setInterface = 11;
/**
 * A host that brings nothing for so long, in real time, has stopped without a word, and time goes on: Linux waits a second for
 * the end of what it has under way.
 */
const patienceMs = 600;
/** Of the time between two looks no more counts: in what lies beyond it this process had no processor, nor perhaps the host. */
const longestLookMs = 20;

/** An isochronous endpoint of data: its host must always have a packet waiting. */
export interface WatchedEndpoint {
  readonly address: number;
  /** A new setting of it ends the stream, and so does a transfer that is taken back. */
  readonly interfaceNumber: number;
}

type WatchedEndpoints = readonly WatchedEndpoint[];

/**
 * An emulated processor has no real time to keep: what it is late is its own, and no property of the device, the server or the
 * wire. `isHeld` is for LiveRunner; `holds` and `heldMs` name what the guest cost.
 */
export class IsochronousHold {
  holds = 0;
  heldMs = 0;
  readonly #watched: WatchedEndpoints;
  readonly #streams: Stream[] = [];
  #sinceMs = -1;
  #lookedMs = 0;

  constructor(watched: WatchedEndpoints) {
    this.#watched = watched;
  }

  /** For a berth. */
  readonly middleware = (port: UsbHostPort): UsbHostPort =>
    new WatchedPort(port, this.#watched, (stream) => this.#streams.push(stream));

  readonly isHeld = (): boolean => {
    const now = performance.now();
    const sinceLookMs = Math.min(now - this.#lookedMs, longestLookMs);
    this.#lookedMs = now;
    let isHeld = false;
    for (const stream of this.#streams) {
      if (!stream.isOn || stream.underWay > 0) {
        stream.lateMs = 0;
        continue;
      }
      stream.lateMs += sinceLookMs;
      if (stream.lateMs < patienceMs) isHeld = true;
      else stream.isOn = false;
    }
    if (isHeld && this.#sinceMs < 0) {
      this.#sinceMs = now;
      this.holds++;
    } else if (!isHeld && this.#sinceMs >= 0) {
      this.heldMs += now - this.#sinceMs;
      this.#sinceMs = -1;
    }
    return isHeld;
  };
}

interface Stream {
  readonly endpoint: WatchedEndpoint;
  /** From the first transfer until one is taken back or the setting changes. */
  isOn: boolean;
  underWay: number;
  /** Real time without a packet waiting, as far as it was looked at. */
  lateMs: number;
}

class WatchedPort extends UsbHostFilter {
  readonly #streams: readonly Stream[];
  readonly #slots = new Map<number, Stream>();

  constructor(port: UsbHostPort, watched: WatchedEndpoints, began: (stream: Stream) => void) {
    super(port);
    this.#streams = watched.map((endpoint) => ({ endpoint, isOn: false, underWay: 0, lateMs: 0 }));
    for (const stream of this.#streams) began(stream);
  }

  override control(slot: number, setup: Uint8Array, buffer: Uint8Array | null, offset: number): UsbSubmit {
    if (setup[1] === setInterface)
      for (const stream of this.#streams)
        if (stream.endpoint.interfaceNumber === setup[4]) stream.isOn = false;
    return super.control(slot, setup, buffer, offset);
  }

  override isochronous(
    slot: number,
    endpoint: number,
    buffer: Uint8Array,
    offset: number,
    packets: UsbPackets,
  ): UsbSubmit {
    const submitted = super.isochronous(slot, endpoint, buffer, offset, packets);
    const stream = this.#streams.find(({ endpoint: { address } }) => address === endpoint);
    if (submitted === UsbSubmit.accepted && stream !== undefined) {
      stream.isOn = true;
      stream.underWay++;
      this.#slots.set(slot, stream);
    }
    return submitted;
  }

  override completed(slot: number, status: UsbStatus, actualBytes: number): void {
    const stream = this.#slots.get(slot);
    if (stream !== undefined) {
      this.#slots.delete(slot);
      stream.underWay--;
      if (status !== Status.ok) stream.isOn = false;
    }
    super.completed(slot, status, actualBytes);
  }

  override detached(): void {
    for (const stream of this.#streams) stream.isOn = false;
    super.detached();
  }
}
