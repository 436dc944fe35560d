// The packet table of an isochronous transfer in USB/IP: offset, length, actual length, status, big-endian.

import { getU32be, putU32be } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";
import { usbipIsoPacketBytes } from "./usbip.ts";

/** errno of a packet: -EXDEV is one that was not transferred, which is also what Linux fills a new table with. */
export const UsbipPacketErrno = { ok: 0, missed: -18, overflow: -75, damaged: -84 } as const;

/** One packet's row. `status` is signed. */
export interface UsbipPacket {
  readonly offset: number;
  readonly length: number;
  readonly actualBytes: number;
  readonly status: number;
}

/** The table in columns, which are used again: nothing is made for a row. */
export interface UsbipPacketColumns {
  readonly offsets: Uint32Array;
  readonly lengths: Uint32Array;
}

/** Where a packet lies and how long it is; refuses what cannot be. Answers `total` with this packet in it. */
function checkRow(
  bytes: Uint8Array,
  at: number,
  index: number,
  bufferBytes: number,
  total: number,
  totalMaximum: number,
): number {
  const from = at + index * usbipIsoPacketBytes;
  const offset = getU32be(bytes, from);
  const length = getU32be(bytes, from + 4);
  const actualBytes = getU32be(bytes, from + 8);
  if (offset + length > bufferBytes)
    fail(index, `lies at ${offset} with ${length} bytes in a buffer of ${bufferBytes}`);
  if (actualBytes > length) fail(index, `has ${actualBytes} of its ${length} bytes`);
  if (total + length > totalMaximum) fail(index, `makes ${total + length} bytes of all`);
  return total + length;
}

function fail(index: number, problem: string): never {
  throw new DecodeError("USB/IP packet table", index * usbipIsoPacketBytes, `packet ${index} ${problem}`);
}

/**
 * As many rows as the columns have, from `at` on. Answers the sum of their lengths. DecodeError, with the row's offset in the
 * table, for a packet that lies outside of a buffer of `bufferBytes`, that claims more than its length, or when all of
 * them together are more than `totalMaximum`.
 */
export function readUsbipPackets(
  bytes: Uint8Array,
  at: number,
  bufferBytes: number,
  totalMaximum: number,
  { offsets, lengths }: UsbipPacketColumns,
): number {
  let total = 0;
  for (let index = 0; index < lengths.length; index++) {
    total = checkRow(bytes, at, index, bufferBytes, total, totalMaximum);
    const from = at + index * usbipIsoPacketBytes;
    offsets[index] = getU32be(bytes, from);
    lengths[index] = getU32be(bytes, from + 4);
  }
  return total;
}

/** `count` rows at `at`, as values; refuses as `readUsbipPackets` does. */
export function decodeUsbipPackets(
  bytes: Uint8Array,
  at: number,
  count: number,
  bufferBytes: number,
  totalMaximum: number,
): UsbipPacket[] {
  const packets: UsbipPacket[] = [];
  let total = 0;
  for (let index = 0; index < count; index++) {
    total = checkRow(bytes, at, index, bufferBytes, total, totalMaximum);
    const from = at + index * usbipIsoPacketBytes;
    packets.push({
      offset: getU32be(bytes, from),
      length: getU32be(bytes, from + 4),
      actualBytes: getU32be(bytes, from + 8),
      status: getU32be(bytes, from + 12) | 0,
    });
  }
  return packets;
}

/** One row, at `to`. */
export function putUsbipPacket(
  into: Uint8Array,
  to: number,
  offset: number,
  length: number,
  actualBytes: number,
  status: number,
): void {
  putU32be(into, to, offset);
  putU32be(into, to + 4, length);
  putU32be(into, to + 8, actualBytes);
  putU32be(into, to + 12, status >>> 0);
}

export function encodeUsbipPackets(packets: readonly UsbipPacket[], into: Uint8Array, at: number): void {
  for (const [index, { actualBytes, length, offset, status }] of packets.entries())
    putUsbipPacket(into, at + index * usbipIsoPacketBytes, offset, length, actualBytes, status);
}
