// Records what passes through a USB port: same type in, same type out.

import type { Clock } from "../base/clock.ts";
import type { UsbHostPort, UsbPackets, UsbStatus, UsbSubmit } from "../ports/usb-host.ts";
import { UsbHostFilter } from "../ports/usb-host-filter.ts";
import { TraceKind, TraceTransfer, type UsbTraceLog } from "./usb-trace-log.ts";

export interface UsbTraceOptions {
  readonly clock: Clock;
  readonly log: UsbTraceLog;
  /** Number of the device in the trace, 1 to 127. */
  readonly deviceAddress: number;
  /** The driver call that is submitting right now, or null. */
  readonly caller?: () => string | null;
}

const directionIn = 0x80;

/** Refused submissions are not on the wire and leave no row. */
export function withUsbTrace(port: UsbHostPort, options: UsbTraceOptions): UsbHostPort {
  return new TracedUsbPort(port, options);
}

class TracedUsbPort extends UsbHostFilter {
  readonly #clock: Clock;
  readonly #log: UsbTraceLog;
  readonly #device: number;
  readonly #caller: () => string | null;
  readonly #ids: Float64Array;
  /** Timeline rows of the submissions under way: what their completions come from. */
  readonly #rows: Float64Array;
  readonly #endpoints: Uint8Array;
  readonly #transfers: Uint8Array;
  readonly #buffers: (Uint8Array | null)[];
  readonly #offsets: Uint32Array;
  readonly #packets: (UsbPackets | null)[];
  /** bmAttributes & 3 by endpoint index, learnt from configurations that pass by. */
  readonly #types = new Uint8Array(32);

  constructor(port: UsbHostPort, options: UsbTraceOptions) {
    super(port);
    this.#clock = options.clock;
    this.#log = options.log;
    this.#device = options.deviceAddress;
    this.#caller = options.caller ?? (() => null);
    this.#ids = new Float64Array(port.slotCount);
    this.#rows = new Float64Array(port.slotCount);
    this.#endpoints = new Uint8Array(port.slotCount);
    this.#transfers = new Uint8Array(port.slotCount);
    this.#buffers = new Array<Uint8Array | null>(port.slotCount).fill(null);
    this.#offsets = new Uint32Array(port.slotCount);
    this.#packets = new Array<UsbPackets | null>(port.slotCount).fill(null);
    this.#types.fill(2);
  }

  override control(slot: number, setup: Uint8Array, buffer: Uint8Array | null, offset: number): UsbSubmit {
    const isIn = (setup[0] & directionIn) !== 0;
    const length = setup[6] | (setup[7] << 8);
    const submitted = this.port.control(slot, setup, buffer, offset);
    if (submitted === 0) {
      this.#submitted(slot, isIn ? directionIn : 0, TraceTransfer.control, buffer, offset, length, setup, 0);
    }
    return submitted;
  }

  override transfer(
    slot: number,
    endpoint: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    stream = 0,
  ): UsbSubmit {
    const submitted = this.port.transfer(slot, endpoint, buffer, offset, length, stream);
    if (submitted === 0) {
      const index = (endpoint & 15) + ((endpoint & directionIn) !== 0 ? 16 : 0);
      const transfer = this.#types[index] === 3 ? TraceTransfer.interrupt : TraceTransfer.bulk;
      this.#submitted(slot, endpoint, transfer, buffer, offset, length, null, stream);
    }
    return submitted;
  }

  override isochronous(
    slot: number,
    endpoint: number,
    buffer: Uint8Array,
    offset: number,
    packets: UsbPackets,
  ): UsbSubmit {
    const submitted = this.port.isochronous(slot, endpoint, buffer, offset, packets);
    if (submitted === 0) {
      const length = packets.lengths.reduce((sum, size) => sum + size, 0);
      const { lengths } = packets;
      this.#submitted(slot, endpoint, TraceTransfer.isochronous, buffer, offset, length, null, 0, lengths);
      this.#packets[slot] = packets;
    }
    return submitted;
  }

  override reset(): void {
    this.#mark(`port reset of device ${this.#device}`);
    this.port.reset();
  }

  override completed(slot: number, status: UsbStatus, actualBytes: number): void {
    const endpoint = this.#endpoints[slot];
    const packets = this.#packets[slot];
    if (packets !== null && this.#buffers[slot] !== null) this.#gather(slot, packets);
    const buffer = this.#buffers[slot];
    const isIn = (endpoint & directionIn) !== 0;
    const data = isIn ? buffer : null;
    const row = this.#log.add(
      TraceKind.complete,
      this.#clock.nowNs(),
      this.#ids[slot],
      this.#device,
      endpoint,
      this.#transfers[slot],
      status,
      actualBytes,
      null,
      data,
      this.#offsets[slot],
      data === null ? 0 : actualBytes,
      "",
      0,
      this.#rows[slot],
      packets === null ? null : [...packets.actualBytes],
    );
    if (isIn && buffer !== null && this.#transfers[slot] === TraceTransfer.control) {
      this.#learnTypes(buffer, this.#offsets[slot], actualBytes);
    }
    this.#buffers[slot] = null;
    this.#clock.cause = row;
    this.client?.completed(slot, status, actualBytes);
  }

  override detached(): void {
    this.#clock.cause = this.#mark(`device ${this.#device} left the bus`);
    this.client?.detached();
  }

  #submitted(
    slot: number,
    endpoint: number,
    transfer: number,
    buffer: Uint8Array | null,
    offset: number,
    length: number,
    setup: Uint8Array | null,
    stream: number,
    packets: UsbPackets["lengths"] | null = null,
  ): void {
    const id = this.#log.nextId();
    this.#ids[slot] = id;
    this.#endpoints[slot] = endpoint;
    this.#transfers[slot] = transfer;
    this.#buffers[slot] = buffer;
    this.#offsets[slot] = offset;
    const isOut = (endpoint & directionIn) === 0;
    this.#rows[slot] = this.#log.add(
      TraceKind.submit,
      this.#clock.nowNs(),
      id,
      this.#device,
      endpoint,
      transfer,
      0,
      length,
      setup,
      isOut ? buffer : null,
      offset,
      isOut && buffer !== null ? length : 0,
      // The driver call is the row's text: a row of its own for each would cost a third more.
      this.#caller() ?? "",
      stream,
      this.#clock.cause,
      packets === null ? null : [...packets],
    );
  }

  /** What came in packets with room to spare stands in a row without gaps. */
  #gather(slot: number, packets: UsbPackets): void {
    this.#packets[slot] = null;
    if ((this.#endpoints[slot] & directionIn) === 0) return;
    const buffer = this.#buffers[slot] as Uint8Array;
    const moved = packets.actualBytes.reduce((sum, bytes) => sum + bytes, 0);
    const data = new Uint8Array(moved);
    let from = this.#offsets[slot];
    let to = 0;
    for (const [index, bytes] of packets.actualBytes.entries()) {
      data.set(buffer.subarray(from, from + bytes), to);
      from += packets.lengths[index];
      to += bytes;
    }
    this.#buffers[slot] = data;
    this.#offsets[slot] = 0;
  }

  #mark(text: string): number {
    return this.#log.mark(this.#clock.nowNs(), text, this.#clock.cause);
  }

  /** Endpoint descriptors in a configuration tell bulk from interrupt. Broken ones end the search. */
  #learnTypes(buffer: Uint8Array, offset: number, length: number): void {
    if (length < 9 || buffer[offset + 1] !== 2) return;
    const end = offset + length;
    let at = offset;
    while (at + 2 <= end && buffer[at] >= 2 && at + buffer[at] <= end) {
      if (buffer[at + 1] === 5 && buffer[at] >= 7) {
        const address = buffer[at + 2];
        this.#types[(address & 15) + ((address & directionIn) !== 0 ? 16 : 0)] = buffer[at + 3] & 3;
      }
      at += buffer[at];
    }
  }
}
