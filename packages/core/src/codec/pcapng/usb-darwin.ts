// The header of 32 bytes before each USB packet of link type 266, as tcpdump writes it on a Mac (interface XHC20).

import { DecodeError } from "../../base/errors.ts";
import { encodeUsbLinux, UsbErrno } from "./usb-linux.ts";

export const linkTypeUsbDarwin = 266;

/** Field by field: version, length, kind, bytes of data, IOReturn, isochronous frames, id, location, speed, address, pipe. */
export interface UsbDarwinHeader {
  readonly isCompletion: boolean;
  /** Bytes asked for or moved; of a control request the 8 of SETUP are counted. */
  readonly length: number;
  /** An IOReturn. */
  readonly status: number;
  readonly frames: number;
  readonly id: number;
  readonly location: number;
  readonly device: number;
  readonly endpoint: number;
  /** 0 control, 1 isochronous, 2 bulk, 3 interrupt. */
  readonly kind: number;
}

const headerBytes = 32;
const setupBytes = 8;
const subject = "USB packet of link type 266";
/** Kinds of this header -> kinds of usbmon's. */
const linuxKinds = [2, 0, 3, 1] as const;

/** Throws DecodeError for a packet that is shorter than its own header says. */
export function decodeUsbDarwin(packet: Uint8Array): { header: UsbDarwinHeader; data: Uint8Array } {
  if (packet.length < headerBytes)
    throw new DecodeError(subject, packet.length, `needs ${headerBytes} bytes of header`);
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const own = packet[2];
  if (own < headerBytes || own > packet.length)
    throw new DecodeError(subject, 2, `header length ${own} does not fit`);
  if (packet[3] > 1) throw new DecodeError(subject, 3, `unknown kind of packet ${packet[3]}`);
  if (packet[31] > 3) throw new DecodeError(subject, 31, `unknown kind of endpoint ${packet[31]}`);
  return {
    header: {
      isCompletion: packet[3] === 1,
      length: view.getUint32(4, true),
      status: view.getUint32(8, true),
      frames: view.getUint32(12, true),
      id: view.getUint32(16, true) + view.getUint32(20, true) * 4294967296,
      location: view.getUint32(24, true),
      device: packet[29],
      endpoint: packet[30],
      kind: packet[31],
    },
    data: packet.subarray(own),
  };
}

/** The errno that a Linux host would have; the IOReturn itself goes into a comment. */
function errnoOf(status: number): number {
  switch (status) {
    case 0:
      return UsbErrno.ok;
    case 0xe0005000:
    case 0xe000404f:
      return UsbErrno.stall;
    case 0xe00002eb:
      return UsbErrno.unlinked;
    case 0xe00002c0:
    case 0xe00002d7:
      return UsbErrno.shutdown;
    case 0xe00002e8:
      return UsbErrno.overflow;
    // Short packets end a transfer well.
    case 0xe00002e7:
      return UsbErrno.ok;
    default:
      return UsbErrno.protocol;
  }
}

/**
 * The same packet with the header of link type 220, so that one reader serves both. Isochronous frames are left out.
 * Throws DecodeError as {@link decodeUsbDarwin} does.
 */
export function usbLinuxOfDarwin(
  packet: Uint8Array,
  timeNs: number,
): { packet: Uint8Array; comment: string } {
  const { header, data } = decodeUsbDarwin(packet);
  const isControl = header.kind === 0;
  const hasSetup = isControl && !header.isCompletion && data.length >= setupBytes;
  const rest = header.kind === 1 ? data.subarray(0, 0) : hasSetup ? data.subarray(setupBytes) : data;
  const length = isControl && !header.isCompletion ? Math.max(0, header.length - setupBytes) : header.length;
  const direction = hasSetup ? data[0] & 0x80 : 0;
  const wanted = hasSetup ? data[6] | (data[7] << 8) : length;
  return {
    packet: encodeUsbLinux(
      {
        id: header.id,
        event: header.isCompletion ? "C" : "S",
        transfer: linuxKinds[header.kind],
        endpoint: header.endpoint | direction,
        device: header.device & 0x7f,
        bus: (header.location >>> 24) & 0xff,
        timeNs,
        status: header.isCompletion ? errnoOf(header.status) : UsbErrno.inProgress,
        urbLength: hasSetup ? wanted : length,
        dataLength: rest.length,
        setup: hasSetup ? data.slice(0, setupBytes) : null,
      },
      rest,
    ),
    comment: header.isCompletion && header.status !== 0 ? `IOReturn 0x${header.status.toString(16)}` : "",
  };
}
