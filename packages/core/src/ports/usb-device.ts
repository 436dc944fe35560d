// What a USB device is to whatever carries its packets: a simulated bus, a USB/IP server, a usbredir outlet.

import type { UsbSpeed } from "../codec/usb/usb-speed.ts";

/** Answers of an endpoint to one transaction that moves no bytes. Byte counts are 0 and above. */
export const UsbNak = -1;
export const UsbStall = -2;

/**
 * The upstream side of the cable, given to the device when it is plugged in. The device calls it; it never calls back
 * into the device from inside.
 */
export interface UsbUpstream {
  /**
   * An endpoint that answered NAK has something now: data for an IN, room for an OUT, or an answer on endpoint 0.
   * `endpoint` is the address with the direction bit; without a `stream` it is told for all its streams at once.
   * Cheap, idempotent, allowed at any time while plugged in.
   */
  ready(endpoint: number, stream?: number): void;
  /** The device drops off the bus and comes back (a firmware reset, a bridge that re-enumerates). */
  reconnect(): void;
  /**
   * The device's side of a report: its driver did what the device's specification forbids, a sentence with the clause. What the
   * device answers says the same in hardware's words, or nothing. Left out by carriers that keep no list.
   */
  misused?(text: string): void;
}

/**
 * A device on the wire. It answers transactions like hardware: bytes, NAK or STALL, at once and without side doors;
 * anything slow is a NAK now and `ready` later. It holds nobody's buffer between two calls, so a cancelled transfer
 * needs no help from the device.
 *
 * Called only while plugged in, by one carrier at a time, never re-entrantly.
 */
export interface UsbDevicePort {
  readonly speed: UsbSpeed;
  /** Cable in: power-on state. The device keeps `upstream` until `unplug`. */
  plug(upstream: UsbUpstream): void;
  /** Cable out. No call of `upstream` after this returns. */
  unplug(): void;
  /** Bus reset: back to the default state, unconfigured, address 0, halts cleared. */
  reset(): void;
  /**
   * The 8 bytes of a SETUP packet (USB 2.0 §9.3). Always accepted; whatever control transfer was going on is over.
   * The carrier then runs the data stage and the status stage with `in`/`out` on endpoint 0x80/0x00.
   */
  setup(packet: Uint8Array): void;
  /**
   * IN transaction(s). On a data endpoint `length` is whole packets: how much the host has room for is no business of the
   * device's, and a packet that is longer than that is lost as babble (USB 2.0 §5.8.3). Writes at most `length` bytes at `buffer[offset]` and returns how many; NAK; or STALL.
   * A count that is not a multiple of the endpoint's packet size, or 0, ends the transfer (short packet); a whole
   * multiple below `length` means "so far", and the carrier asks again. Endpoint 0x80 with length 0 is the status
   * stage of an OUT control transfer: 0 acknowledges. `stream` is the bulk stream that the host has primed, 0 for none
   * (USB 3.2 §8.12.1.4): a device that has nothing for this stream answers NAK and says `ready` when it has.
   */
  in(endpoint: number, buffer: Uint8Array, offset: number, length: number, stream?: number): number;
  /**
   * (Isochronous endpoints: `in` and `out` are one packet of one service interval; NAK is no packet, and what an OUT is
   * answered nobody hears.)
   * OUT transaction(s): takes bytes from `buffer[offset .. offset+length)` and returns how many it took (whole
   * packets, or all), NAK, or STALL. Length 0 is a zero-length packet; on endpoint 0x00 it is the status stage of an
   * IN control transfer. The bytes are valid only during the call. `stream` as for `in`.
   */
  out(endpoint: number, buffer: Uint8Array, offset: number, length: number, stream?: number): number;
}
