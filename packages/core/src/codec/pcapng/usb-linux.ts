// The 64-byte header before each USB packet of link type 220, as usbmon's memory-mapped interface defines it.

import { DecodeError } from "../../base/errors.ts";

export const usbLinuxHeaderBytes = 64;

/** Linux errno values that transfers end with. */
export const UsbErrno = {
  ok: 0,
  inProgress: -115,
  stall: -32,
  unlinked: -2,
  shutdown: -108,
  overflow: -75,
  protocol: -71,
} as const;

export interface UsbLinuxHeader {
  /** Pairs submission and completion. */
  readonly id: number;
  /** "S" submission, "C" completion, "E" submission error. */
  readonly event: "S" | "C" | "E";
  /** 0 isochronous, 1 interrupt, 2 control, 3 bulk. */
  readonly transfer: number;
  readonly endpoint: number;
  readonly device: number;
  readonly bus: number;
  readonly timeNs: number;
  readonly status: number;
  /** Bytes asked for (S) or moved (C). */
  readonly urbLength: number;
  /** Bytes that follow the header. */
  readonly dataLength: number;
  /** SETUP bytes of a control submission. */
  readonly setup: Uint8Array | null;
  /** Bytes of each packet of an isochronous transfer: asked for or offered (S), moved (C). The data have no gaps between them. */
  readonly packets?: readonly number[];
}

/** One descriptor before the data for each isochronous packet: status, offset, length, padding. */
const packetDescriptorBytes = 16;
const packetCountAt = 60;

/** Header and data as one packet. */
export function encodeUsbLinux(header: UsbLinuxHeader, data: Uint8Array): Uint8Array {
  const packets = header.packets ?? [];
  const dataAt = usbLinuxHeaderBytes + packets.length * packetDescriptorBytes;
  const packet = new Uint8Array(dataAt + data.length);
  const view = new DataView(packet.buffer);
  view.setUint32(0, header.id % 4294967296, true);
  view.setUint32(4, Math.floor(header.id / 4294967296), true);
  packet[8] = header.event.charCodeAt(0);
  packet[9] = header.transfer;
  packet[10] = header.endpoint;
  packet[11] = header.device;
  view.setUint16(12, header.bus, true);
  packet[14] = header.setup === null ? 0x2d : 0;
  // Zero when data follow; else "<" or ">" tells which way they would have gone.
  packet[15] = data.length > 0 ? 0 : (header.endpoint & 0x80) !== 0 ? 0x3c : 0x3e;
  const seconds = Math.floor(header.timeNs / 1e9);
  view.setUint32(16, seconds, true);
  view.setInt32(24, Math.floor((header.timeNs - seconds * 1e9) / 1000), true);
  view.setInt32(28, header.status, true);
  view.setUint32(32, header.urbLength, true);
  view.setUint32(36, packet.length - usbLinuxHeaderBytes, true);
  if (packets.length > 0) {
    view.setUint32(44, packets.length, true);
    view.setUint32(packetCountAt, packets.length, true);
    let offset = 0;
    for (const [index, length] of packets.entries()) {
      const at = usbLinuxHeaderBytes + index * packetDescriptorBytes;
      view.setUint32(at + 4, offset, true);
      view.setUint32(at + 8, length, true);
      offset += length;
    }
  }
  if (header.setup !== null) packet.set(header.setup.subarray(0, 8), 40);
  packet.set(data, dataAt);
  return packet;
}

/** Throws DecodeError for packets shorter than their own header says. */
export function decodeUsbLinux(packet: Uint8Array): { header: UsbLinuxHeader; data: Uint8Array } {
  const subject = "USB packet of link type 220";
  if (packet.length < usbLinuxHeaderBytes) {
    throw new DecodeError(subject, packet.length, `needs ${usbLinuxHeaderBytes} bytes of header`);
  }
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const dataLength = view.getUint32(36, true);
  const event = String.fromCharCode(packet[8]);
  if (event !== "S" && event !== "C" && event !== "E")
    throw new DecodeError(subject, 8, `unknown event 0x${packet[8].toString(16)}`);
  if (usbLinuxHeaderBytes + dataLength > packet.length) {
    throw new DecodeError(
      subject,
      36,
      `${dataLength} data bytes are promised, ${packet.length - usbLinuxHeaderBytes} follow`,
    );
  }
  const end = usbLinuxHeaderBytes + dataLength;
  const packets = packet[9] === 0 ? isochronousPackets(packet, view, end) : null;
  return {
    header: {
      id: view.getUint32(0, true) + view.getUint32(4, true) * 4294967296,
      event,
      transfer: packet[9],
      endpoint: packet[10],
      device: packet[11],
      bus: view.getUint16(12, true),
      timeNs: view.getUint32(16, true) * 1e9 + view.getInt32(24, true) * 1000,
      status: view.getInt32(28, true),
      urbLength: view.getUint32(32, true),
      dataLength,
      setup: packet[14] === 0 && packet[9] === 2 && event === "S" ? packet.slice(40, 48) : null,
      ...(packets === null ? {} : { packets: packets.lengths }),
    },
    data: packets === null ? packet.slice(usbLinuxHeaderBytes, end) : packets.data,
  };
}

/** Null: it has no descriptors of packets. What lies between the packets of a buffer is left out. */
function isochronousPackets(
  packet: Uint8Array,
  view: DataView,
  end: number,
): { readonly lengths: readonly number[]; readonly data: Uint8Array } | null {
  const count = view.getUint32(packetCountAt, true);
  if (count === 0) return null;
  const dataAt = usbLinuxHeaderBytes + count * packetDescriptorBytes;
  if (dataAt > end)
    throw new DecodeError(
      "USB packet of link type 220",
      packetCountAt,
      `${count} isochronous packets are promised, and there is no room for their descriptors`,
    );
  const lengths: number[] = [];
  const data = new Uint8Array(end - dataAt);
  let filled = 0;
  for (let at = usbLinuxHeaderBytes; at < dataAt; at += packetDescriptorBytes) {
    const from = dataAt + view.getUint32(at + 4, true);
    const length = view.getUint32(at + 8, true);
    lengths.push(length);
    // Packets that lie over each other are nobody's.
    if (from + length > end || filled + length > data.length) continue;
    data.set(packet.subarray(from, from + length), filled);
    filled += length;
  }
  return { lengths, data: data.slice(0, filled) };
}

/** The header has no field for a bulk stream: our captures name it in a packet comment. */
export function streamComment(stream: number): string {
  return `stream ${stream}`;
}

/** Stream of a packet by its comments; 0 when none names one. */
export function streamOfComments(comments: readonly string[]): number {
  for (const comment of comments) {
    const found = /^stream (\d{1,5})$/.exec(comment);
    if (found !== null) return Number(found[1]);
  }
  return 0;
}
