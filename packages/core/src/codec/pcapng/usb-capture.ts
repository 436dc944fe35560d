// A USB capture file of either format, with its packets in the form of link type 220 where they can have it.

import { readPcap } from "./pcap.ts";
import { linkTypeUsbLinuxMmapped, type PcapngPacket, readPcapng } from "./pcapng.ts";
import { linkTypeUsbDarwin, usbLinuxOfDarwin } from "./usb-darwin.ts";
import { usbLinuxHeaderBytes } from "./usb-linux.ts";

/** usbmon's older header of 48 bytes, without the fields of isochronous transfers. */
export const linkTypeUsbLinux = 189;
const olderHeaderBytes = 48;

export function looksLikePcap(head: Uint8Array): boolean {
  const magic = [...head.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return ["a1b2c3d4", "d4c3b2a1", "a1b23c4d", "4d3cb2a1"].includes(magic);
}

/** Every packet of a pcapng or a classic pcap file, in order. Throws DecodeError with the offset. */
export function readCapture(file: Uint8Array): Generator<PcapngPacket> {
  return looksLikePcap(file) ? readPcap(file) : readPcapng(file);
}

/**
 * The packet with link type 220: packets of type 189 (Linux, older) and 266 (macOS) are given its header; others, and
 * those that are 220 already, are returned as they are. Throws DecodeError for one that is cut.
 */
export function asUsbLinux(packet: PcapngPacket): PcapngPacket {
  if (packet.linkType === linkTypeUsbDarwin) {
    const { packet: bytes, comment } = usbLinuxOfDarwin(packet.bytes, packet.timeNs);
    const comments = comment === "" ? packet.comments : [...packet.comments, comment];
    return { ...packet, linkType: linkTypeUsbLinuxMmapped, bytes, comments };
  }
  if (packet.linkType !== linkTypeUsbLinux || packet.bytes.length < olderHeaderBytes) return packet;
  const bytes = new Uint8Array(packet.bytes.length + usbLinuxHeaderBytes - olderHeaderBytes);
  bytes.set(packet.bytes.subarray(0, olderHeaderBytes));
  bytes.set(packet.bytes.subarray(olderHeaderBytes), usbLinuxHeaderBytes);
  const view = new DataView(bytes.buffer);
  // What was not captured cannot be read: the promise is cut to what follows.
  view.setUint32(36, Math.min(view.getUint32(36, true), packet.bytes.length - olderHeaderBytes), true);
  return { ...packet, linkType: linkTypeUsbLinuxMmapped, bytes };
}
