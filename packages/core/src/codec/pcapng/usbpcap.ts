// The header before each USB packet of link type 249, as USBPcap on Windows writes it (USBPCAP_BUFFER_PACKET_HEADER).

import { DecodeError } from "../../base/errors.ts";

export const linkTypeUsbPcap = 249;

export interface UsbPcapHeader {
  /** Pairs request and completion. */
  readonly irp: string;
  /** USBD_STATUS; 0 is success. */
  readonly status: number;
  readonly result: "ok" | "stall" | "cancelled" | "gone" | "error";
  /** From the device's driver back up: the completion. */
  readonly isCompletion: boolean;
  readonly bus: number;
  readonly device: number;
  readonly endpoint: number;
  readonly kind: "isochronous" | "interrupt" | "control" | "bulk";
}

const fixedBytes = 27;
const kinds = ["isochronous", "interrupt", "control", "bulk"] as const;

/** Throws DecodeError for a packet that is shorter than its own header says. */
export function decodeUsbPcap(packet: Uint8Array): { header: UsbPcapHeader; data: Uint8Array } {
  const subject = "USB packet of link type 249";
  if (packet.length < fixedBytes)
    throw new DecodeError(subject, packet.length, `needs ${fixedBytes} bytes of header`);
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const length = view.getUint16(0, true);
  if (length < fixedBytes || length > packet.length)
    throw new DecodeError(subject, 0, `header length ${length} does not fit`);
  const kind = kinds[packet[22]];
  if (kind === undefined) throw new DecodeError(subject, 22, `unknown transfer type ${packet[22]}`);
  const status = view.getUint32(10, true);
  return {
    header: {
      irp: view.getBigUint64(2, true).toString(16),
      status,
      result: resultOf(status),
      isCompletion: (packet[16] & 1) !== 0,
      bus: view.getUint16(17, true),
      device: view.getUint16(19, true),
      endpoint: packet[21],
      kind,
    },
    data: packet.slice(length),
  };
}

/** USBD_STATUS values of usb.h: STALL_PID C0000004, ENDPOINT_HALTED C0000030, CANCELED C0010000, DEVICE_GONE C0007000. */
function resultOf(status: number): UsbPcapHeader["result"] {
  switch (status) {
    case 0:
      return "ok";
    case 0xc0000004:
    case 0xc0000030:
      return "stall";
    case 0xc0010000:
      return "cancelled";
    case 0xc0007000:
      return "gone";
    default:
      return (status & 0x80000000) === 0 ? "ok" : "error";
  }
}
