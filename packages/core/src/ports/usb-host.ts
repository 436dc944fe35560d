// What a driver's side sees of one attached USB device, whoever carries it: simulated bus, USB/IP, WebUSB, libusb.

import type { UsbSpeed } from "../codec/usb/usb-speed.ts";

/** How a transfer ended. Plain numbers: a stalled endpoint is not an exception (node-performance.md §7). */
export const UsbStatus = {
  /** All bytes moved, or a short packet ended an IN. */
  ok: 0,
  /** The endpoint answered STALL. Endpoint 0 recovers with the next SETUP; others stay halted until cleared. */
  stall: 1,
  /** `cancel` was called. Bytes moved before that are counted. */
  cancelled: 2,
  /** The device left the bus. */
  gone: 3,
  /**
   * The device sent more than was asked for: babble. What fits is counted; the rest of the packet is lost. The endpoint
   * is not halted, the next transfer begins with the next packet (Linux -EOVERFLOW; elsewhere likely).
   */
  overflow: 4,
  /** No valid answer from the device: CRC, bit stuffing, no handshake. The endpoint is halted on the host's side. */
  protocolError: 5,
} as const;
export type UsbStatus = (typeof UsbStatus)[keyof typeof UsbStatus];

/** Why a submission was refused. Accepted means exactly one completion; refused means none. */
export const UsbSubmit = {
  accepted: 0,
  /** The device is gone: nothing will ever be accepted again. */
  gone: 1,
  /** No such endpoint in the current configuration and alternate settings, or the wrong direction. */
  noEndpoint: 2,
  /** The endpoint is halted: clear it first. */
  halted: 3,
  /** The slot has a transfer under way, or offset and length do not fit the buffer. */
  badRequest: 4,
  /** The implementation's table of slots is full (see `slotCount`). */
  busy: 5,
  /** This path has no such transfers, isochronous ones for instance: its page says so. */
  unsupported: 6,
} as const;
export type UsbSubmit = (typeof UsbSubmit)[keyof typeof UsbSubmit];

/** What became of one packet of an isochronous transfer. */
export const UsbPacketStatus = {
  /** It was on the wire: bytes of an OUT went, of an IN as many came as the device sent. Nobody acknowledges an OUT. */
  ok: 0,
  /** Its interval went by without it: the transfer was cancelled or too late, or the device sent nothing. */
  missed: 1,
  /** The device sent more than there was room for; what fits is counted. */
  overflow: 2,
  /** Damaged on the wire: nothing of it is counted. */
  damaged: 3,
} as const;
export type UsbPacketStatus = (typeof UsbPacketStatus)[keyof typeof UsbPacketStatus];

/** The packets of one isochronous transfer; the arrays are the port's from acceptance to completion. */
export interface UsbPackets {
  /** Bytes of each: room for an IN, data of an OUT, 0 for an empty packet. They lie one after the other in the buffer. */
  readonly lengths: Uint32Array;
  /** Written by the port: bytes that moved, by packet. Data of an IN stay where their packet's room begins. */
  readonly actualBytes: Uint32Array;
  /** Written by the port: a UsbPacketStatus each. */
  readonly statuses: Uint8Array;
}

/** Most packets of one transfer; USB/IP servers take no more either. */
export const usbPacketsMaximum = 1024;

/** Room for the packets of these lengths, all of them missed so far. */
export function newUsbPackets(lengths: readonly number[] | Uint32Array): UsbPackets {
  return {
    lengths: Uint32Array.from(lengths),
    actualBytes: new Uint32Array(lengths.length),
    statuses: new Uint8Array(lengths.length).fill(UsbPacketStatus.missed),
  };
}

/** True when the packets are lawful and lie in the buffer from `offset` on, each of at most `mostBytes`. */
export function packetsFit(
  packets: UsbPackets,
  buffer: Uint8Array,
  offset: number,
  mostBytes: number,
): boolean {
  const { actualBytes, lengths, statuses } = packets;
  const count = lengths.length;
  if (count < 1 || count > usbPacketsMaximum || actualBytes.length !== count || statuses.length !== count)
    return false;
  let total = 0;
  for (const length of lengths) {
    if (length > mostBytes) return false;
    total += length;
  }
  return offset >= 0 && offset + total <= buffer.length;
}

/** Who is told. Given once, at `connect`. Never called from inside a call of the port. */
export interface UsbHostClient {
  /**
   * The transfer in `slot` is over. `actualBytes` counts the data stage only. The buffer is the caller's again from
   * here; the slot may be used again inside this call.
   */
  completed(slot: number, status: UsbStatus, actualBytes: number): void;
  /**
   * The device left. Every accepted transfer has already completed with `gone` (or its own result) when this comes;
   * it comes once.
   */
  detached(): void;
}

/**
 * One attached device, from attach to detach. A device that comes back is a new port.
 *
 * Transfers are named by a slot, a small integer that the caller chooses (0 to `slotCount - 1`), so that the data
 * path allocates nothing. Transfers on one endpoint (or stream) complete in the order they were accepted. Completion never
 * happens inside the call that submitted or cancelled.
 *
 * Standard requests that change endpoints (SET_CONFIGURATION, SET_INTERFACE, CLEAR_FEATURE(ENDPOINT_HALT)) go
 * through `control` like any other; the implementation takes note of their success. SET_ADDRESS is its own business
 * and is refused.
 */
export interface UsbHostPort {
  readonly speed: UsbSpeed;
  /** Where the device sits: one digit per hub port from the top, as in Apple's locationID. Unique on its bus. */
  readonly locationId: number;
  /** How many transfers may be under way at once. At least 64. */
  readonly slotCount: number;
  /** Must be called once before anything else. */
  connect(client: UsbHostClient): void;
  /**
   * A control transfer on endpoint 0. `setup` is 8 bytes, copied before return. `buffer` holds or receives the data
   * stage of wLength bytes from `offset`; it may be null only when wLength is 0. One control transfer runs at a
   * time; more are queued.
   */
  control(slot: number, setup: Uint8Array, buffer: Uint8Array | null, offset: number): UsbSubmit;
  /**
   * A bulk or interrupt transfer on `endpoint` (address with direction bit). OUT with length 0 sends a zero-length
   * packet. `buffer` belongs to the port until completion. `stream` is a bulk stream of a SuperSpeed endpoint
   * (USB 3.2 §8.12.1.4), 1 to 65533; 0, the default, is no stream. Order is kept within a stream, not between them.
   * `badRequest` for a stream on an endpoint, a speed or a path that has none.
   */
  transfer(
    slot: number,
    endpoint: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    stream?: number,
  ): UsbSubmit;
  /**
   * An isochronous transfer on `endpoint`: its packets go in successive service intervals (USB 2.0 §5.6.4), right behind
   * those that were accepted before, or in the next interval when there are none. It completes with `ok` and the sum of
   * all bytes whatever became of its packets: `packets` tells that, packet by packet. Nothing halts and nothing is tried
   * again. `badRequest` for a packet that is longer than the endpoint allows, for none, or for more than
   * `usbPacketsMaximum`; `unsupported` on a path without such transfers. `transfer` refuses isochronous endpoints with `noEndpoint`.
   */
  isochronous(
    slot: number,
    endpoint: number,
    buffer: Uint8Array,
    offset: number,
    packets: UsbPackets,
  ): UsbSubmit;
  /** Ends the transfer in `slot` with `cancelled`, unless it completes first. A free slot is ignored. */
  cancel(slot: number): void;
  /** Forgets the host's side of a halt (toggle and flag) without a word to the device. */
  clearHalt(endpoint: number): void;
  /** Resets the port: the device goes back to its default state and detaches; it comes back as a new port. */
  reset(): void;
}
