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

/**
 * `count` rows at `at`. DecodeError, with the row's offset in the table, for a packet that lies outside of a buffer of
 * `bufferBytes`, that claims more than its length, or when all of them together are more than `totalMaximum`.
 */
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
    const from = at + index * usbipIsoPacketBytes;
    const packet = {
      offset: getU32be(bytes, from),
      length: getU32be(bytes, from + 4),
      actualBytes: getU32be(bytes, from + 8),
      status: getU32be(bytes, from + 12) | 0,
    };
    const fail = (problem: string): never => {
      throw new DecodeError("USB/IP packet table", index * usbipIsoPacketBytes, `packet ${index} ${problem}`);
    };
    if (packet.offset + packet.length > bufferBytes)
      fail(`lies at ${packet.offset} with ${packet.length} bytes in a buffer of ${bufferBytes}`);
    if (packet.actualBytes > packet.length) fail(`has ${packet.actualBytes} of its ${packet.length} bytes`);
    total += packet.length;
    if (total > totalMaximum) fail(`makes ${total} bytes of all`);
    packets.push(packet);
  }
  return packets;
}

export function encodeUsbipPackets(packets: readonly UsbipPacket[], into: Uint8Array, at: number): void {
  for (const [index, { actualBytes, length, offset, status }] of packets.entries()) {
    const to = at + index * usbipIsoPacketBytes;
    putU32be(into, to, offset);
    putU32be(into, to + 4, length);
    putU32be(into, to + 8, actualBytes);
    putU32be(into, to + 12, status >>> 0);
  }
}
