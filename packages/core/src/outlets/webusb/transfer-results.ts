// What transfers of WebUSB resolve with, and how arguments of its methods become plain values.

import { UsbPacketStatus, type UsbPackets } from "../../ports/usb-host.ts";
import type {
  USBBufferSource,
  USBControlTransferParameters,
  USBInTransferResult,
  USBIsochronousInTransferPacket,
  USBIsochronousInTransferResult,
  USBIsochronousOutTransferPacket,
  USBIsochronousOutTransferResult,
  USBOutTransferResult,
  USBTransferStatus,
} from "../../ports/web-usb.ts";

import { webIdlMembers } from "../page-face.ts";

const statuses: readonly string[] = ["ok", "stall", "babble"] satisfies USBTransferStatus[];

function checkStatus(status: USBTransferStatus): USBTransferStatus {
  if (!statuses.includes(status)) throw new TypeError(`"${status}" is no USBTransferStatus`);
  return status;
}

/** §The USBDevice Interface. TypeError for a status that the standard does not have. */
export class WebUsbInTransferResult implements USBInTransferResult {
  declare readonly data: DataView | null;
  declare readonly status: USBTransferStatus;

  constructor(status: USBTransferStatus, data: DataView | null = null) {
    this.status = checkStatus(status);
    this.data = data;
  }
}

/** As above. */
export class WebUsbOutTransferResult implements USBOutTransferResult {
  declare readonly bytesWritten: number;
  declare readonly status: USBTransferStatus;

  constructor(status: USBTransferStatus, bytesWritten = 0) {
    this.status = checkStatus(status);
    this.bytesWritten = bytesWritten;
  }
}

/** §The USBDevice Interface. */
export class WebUsbIsochronousInTransferPacket extends WebUsbInTransferResult {}
export class WebUsbIsochronousOutTransferPacket extends WebUsbOutTransferResult {}

export class WebUsbIsochronousInTransferResult implements USBIsochronousInTransferResult {
  declare readonly packets: readonly USBIsochronousInTransferPacket[];
  declare readonly data: DataView | null;

  constructor(packets: readonly USBIsochronousInTransferPacket[], data: DataView | null = null) {
    this.packets = [...packets];
    this.data = data;
  }
}

export class WebUsbIsochronousOutTransferResult implements USBIsochronousOutTransferResult {
  declare readonly packets: readonly USBIsochronousOutTransferPacket[];

  constructor(packets: readonly USBIsochronousOutTransferPacket[]) {
    this.packets = [...packets];
  }
}

webIdlMembers(WebUsbInTransferResult, "USBInTransferResult", ["data", "status"]);
webIdlMembers(WebUsbOutTransferResult, "USBOutTransferResult", ["bytesWritten", "status"]);
webIdlMembers(WebUsbIsochronousInTransferResult, "USBIsochronousInTransferResult", ["packets", "data"]);
webIdlMembers(WebUsbIsochronousOutTransferResult, "USBIsochronousOutTransferResult", ["packets"]);
webIdlMembers(WebUsbIsochronousInTransferPacket, "USBIsochronousInTransferPacket", ["data", "status"]);
webIdlMembers(WebUsbIsochronousOutTransferPacket, "USBIsochronousOutTransferPacket", [
  "bytesWritten",
  "status",
]);

/**
 * The standard has no word for a packet that was missed or damaged: it is one without bytes (what browsers say of it: unknown).
 */
const statusOfPacket: Readonly<Record<UsbPacketStatus, USBTransferStatus>> = {
  [UsbPacketStatus.ok]: "ok",
  [UsbPacketStatus.missed]: "ok",
  [UsbPacketStatus.overflow]: "babble",
  [UsbPacketStatus.damaged]: "ok",
};

/** `buffer` holds each packet where its room begins; the views share it. */
export function isochronousInResult(
  buffer: Uint8Array,
  { actualBytes, lengths, statuses }: UsbPackets,
): USBIsochronousInTransferResult {
  const memory = buffer.buffer as ArrayBuffer;
  let at = 0;
  const packets = [...lengths].map((length, index) => {
    const data = new DataView(memory, at, actualBytes[index]);
    at += length;
    return new WebUsbIsochronousInTransferPacket(statusOfPacket[statuses[index] as UsbPacketStatus], data);
  });
  return new WebUsbIsochronousInTransferResult(packets, new DataView(memory));
}

export function isochronousOutResult({ actualBytes, statuses }: UsbPackets): USBIsochronousOutTransferResult {
  return new WebUsbIsochronousOutTransferResult(
    [...statuses].map(
      (status, index) =>
        new WebUsbIsochronousOutTransferPacket(statusOfPacket[status as UsbPacketStatus], actualBytes[index]),
    ),
  );
}

/** Web IDL's "get a copy of the buffer source". A detached buffer has no bytes. TypeError for anything else. */
export function copyBufferSource(source: USBBufferSource): Uint8Array {
  if (ArrayBuffer.isView(source)) {
    if (source.byteLength === 0) return new Uint8Array(0);
    return new Uint8Array(source.buffer, source.byteOffset, source.byteLength).slice();
  }
  // By its tag: a buffer of another realm is one too.
  const tag = Object.prototype.toString.call(source);
  if (tag !== "[object ArrayBuffer]" && tag !== "[object SharedArrayBuffer]") {
    throw new TypeError("the data must be an ArrayBuffer or a view of one");
  }
  return source.byteLength === 0 ? new Uint8Array(0) : new Uint8Array(source).slice();
}

/** Bits of bmRequestType: USB 2.0 table 9-2. */
const typeBits: Readonly<Record<string, number>> = { standard: 0x00, class: 0x20, vendor: 0x40 };
const recipientBits: Readonly<Record<string, number>> = { device: 0, interface: 1, endpoint: 2, other: 3 };

/** bmRequestType without its direction. TypeError for what is not in the enumerations, or not given. */
export function requestTypeOf(setup: USBControlTransferParameters): number {
  if (typeof setup !== "object" || setup === null) throw new TypeError("the setup packet must be an object");
  for (const member of ["requestType", "recipient", "request", "value", "index"] as const) {
    if (setup[member] === undefined) throw new TypeError(`${member} of the setup packet is missing`);
  }
  const { requestType, recipient } = setup;
  if (!Object.hasOwn(typeBits, requestType))
    throw new TypeError(
      `"${requestType}" is no USBRequestType; there are: ${Object.keys(typeBits).join(", ")}`,
    );
  if (!Object.hasOwn(recipientBits, recipient))
    throw new TypeError(
      `"${recipient}" is no USBRecipient; there are: ${Object.keys(recipientBits).join(", ")}`,
    );
  return typeBits[requestType] | recipientBits[recipient];
}
