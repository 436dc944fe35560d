// USB/IP: the messages of both phases, version 1.1.1. Big-endian throughout (facts: linux-guest.md §3).

import { ByteReader } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";
import { decodeUtf8, encodeUtf8 } from "../../base/text.ts";

export const usbipPort = 3240;
export const usbipVersion = 0x0111;

/** Codes of the management phase. */
export const UsbipOp = {
  requestDeviceList: 0x8005,
  replyDeviceList: 0x0005,
  requestImport: 0x8003,
  replyImport: 0x0003,
} as const;

/** Statuses of the management phase. */
export const UsbipStatus = {
  ok: 0,
  notAvailable: 1,
  busy: 2,
  deviceError: 3,
  noDevice: 4,
  error: 5,
} as const;

/** First word of each message of the transfer phase. */
export const UsbipCommand = { submit: 1, unlink: 2, returnSubmit: 3, returnUnlink: 4 } as const;

/** Linux errno values as they travel. */
export const UsbipErrno = {
  ok: 0,
  noEntry: -2,
  outOfMemory: -12,
  noDevice: -19,
  invalid: -22,
  pipe: -32,
  notImplemented: -38,
  protocol: -71,
  overflow: -75,
  connectionReset: -104,
  shutdown: -108,
  remoteIo: -121,
} as const;

/** Transfer flags that mean something to a device's side. */
export const UsbipFlag = { shortNotOk: 0x0001, zeroPacket: 0x0040, directionIn: 0x0200 } as const;

export const usbipOpHeaderBytes = 8;
export const usbipBusIdBytes = 32;
export const usbipDeviceRecordBytes = 312;
export const usbipHeaderBytes = 48;
export const usbipIsoPacketBytes = 16;
const pathBytes = 256;
/** Devices in one list: more is nonsense. */
const deviceListMaximum = 4096;

/** Speeds as the record numbers them: 1 low, 2 full, 3 high, 5 super, 6 super plus. */
export interface UsbipDeviceRecord {
  readonly path: string;
  readonly busId: string;
  readonly busNumber: number;
  readonly deviceNumber: number;
  readonly speed: number;
  readonly idVendor: number;
  readonly idProduct: number;
  readonly bcdDevice: number;
  readonly bDeviceClass: number;
  readonly bDeviceSubClass: number;
  readonly bDeviceProtocol: number;
  readonly bConfigurationValue: number;
  readonly bNumConfigurations: number;
  readonly bNumInterfaces: number;
}

export interface UsbipInterfaceRecord {
  readonly bInterfaceClass: number;
  readonly bInterfaceSubClass: number;
  readonly bInterfaceProtocol: number;
}

export interface UsbipListedDevice {
  readonly device: UsbipDeviceRecord;
  readonly interfaces: readonly UsbipInterfaceRecord[];
}

/** Version, code and status. */
export function encodeOp(code: number, status = 0): Uint8Array {
  const bytes = new Uint8Array(usbipOpHeaderBytes);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, usbipVersion);
  view.setUint16(2, code);
  view.setUint32(4, status);
  return bytes;
}

export interface UsbipOpHeader {
  readonly version: number;
  readonly code: number;
  readonly status: number;
}

/** Throws DecodeError for fewer than 8 bytes or another major version. */
export function decodeOp(bytes: Uint8Array): UsbipOpHeader {
  if (bytes.length < usbipOpHeaderBytes) {
    throw new DecodeError("USB/IP header", bytes.length, `needs ${usbipOpHeaderBytes} bytes`);
  }
  const view = viewOf(bytes);
  const version = view.getUint16(0);
  if (version >> 8 !== usbipVersion >> 8) {
    throw new DecodeError("USB/IP header", 0, `version 0x${version.toString(16)} is not 0x0111`);
  }
  return { version, code: view.getUint16(2), status: view.getUint32(4) };
}

export function encodeImportRequest(busId: string): Uint8Array {
  const bytes = new Uint8Array(usbipOpHeaderBytes + usbipBusIdBytes);
  bytes.set(encodeOp(UsbipOp.requestImport));
  putText(bytes, usbipOpHeaderBytes, usbipBusIdBytes, busId);
  return bytes;
}

/** NUL-padded text; what follows the first NUL is ignored. */
export function decodeBusId(bytes: Uint8Array): string {
  return getText(bytes, 0, usbipBusIdBytes);
}

export function encodeDeviceRecord(record: UsbipDeviceRecord): Uint8Array {
  const bytes = new Uint8Array(usbipDeviceRecordBytes);
  const view = viewOf(bytes);
  putText(bytes, 0, pathBytes, record.path);
  putText(bytes, pathBytes, usbipBusIdBytes, record.busId);
  view.setUint32(288, record.busNumber);
  view.setUint32(292, record.deviceNumber);
  view.setUint32(296, record.speed);
  view.setUint16(300, record.idVendor);
  view.setUint16(302, record.idProduct);
  view.setUint16(304, record.bcdDevice);
  bytes[306] = record.bDeviceClass;
  bytes[307] = record.bDeviceSubClass;
  bytes[308] = record.bDeviceProtocol;
  bytes[309] = record.bConfigurationValue;
  bytes[310] = record.bNumConfigurations;
  bytes[311] = record.bNumInterfaces;
  return bytes;
}

/** Throws DecodeError for fewer than 312 bytes from `offset`. */
export function decodeDeviceRecord(bytes: Uint8Array, offset = 0): UsbipDeviceRecord {
  if (bytes.length - offset < usbipDeviceRecordBytes) {
    throw new DecodeError("USB/IP device record", bytes.length, `needs ${usbipDeviceRecordBytes} bytes`);
  }
  const view = viewOf(bytes);
  return {
    path: getText(bytes, offset, pathBytes),
    busId: getText(bytes, offset + pathBytes, usbipBusIdBytes),
    busNumber: view.getUint32(offset + 288),
    deviceNumber: view.getUint32(offset + 292),
    speed: view.getUint32(offset + 296),
    idVendor: view.getUint16(offset + 300),
    idProduct: view.getUint16(offset + 302),
    bcdDevice: view.getUint16(offset + 304),
    bDeviceClass: bytes[offset + 306],
    bDeviceSubClass: bytes[offset + 307],
    bDeviceProtocol: bytes[offset + 308],
    bConfigurationValue: bytes[offset + 309],
    bNumConfigurations: bytes[offset + 310],
    bNumInterfaces: bytes[offset + 311],
  };
}

export function encodeDeviceList(devices: readonly UsbipListedDevice[]): Uint8Array {
  const parts = devices.map(({ device, interfaces }) => {
    const bytes = new Uint8Array(usbipDeviceRecordBytes + 4 * interfaces.length);
    bytes.set(encodeDeviceRecord({ ...device, bNumInterfaces: interfaces.length }));
    interfaces.forEach((entry, index) => {
      const at = usbipDeviceRecordBytes + 4 * index;
      bytes[at] = entry.bInterfaceClass;
      bytes[at + 1] = entry.bInterfaceSubClass;
      bytes[at + 2] = entry.bInterfaceProtocol;
    });
    return bytes;
  });
  const total = parts.reduce((sum, part) => sum + part.length, usbipOpHeaderBytes + 4);
  const bytes = new Uint8Array(total);
  bytes.set(encodeOp(UsbipOp.replyDeviceList));
  viewOf(bytes).setUint32(usbipOpHeaderBytes, devices.length);
  let at = usbipOpHeaderBytes + 4;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/**
 * The whole reply, header included. Null when more bytes are needed; throws DecodeError for what can never become a
 * list.
 */
export function decodeDeviceList(bytes: Uint8Array): UsbipListedDevice[] | null {
  if (bytes.length < usbipOpHeaderBytes) return null;
  const { code, status } = decodeOp(bytes);
  if (code !== UsbipOp.replyDeviceList) {
    throw new DecodeError("USB/IP device list", 2, `code 0x${code.toString(16)} is no device list`);
  }
  if (status !== UsbipStatus.ok) throw new DecodeError("USB/IP device list", 4, `status ${status}`);
  if (bytes.length < usbipOpHeaderBytes + 4) return null;
  const count = viewOf(bytes).getUint32(usbipOpHeaderBytes);
  if (count > deviceListMaximum) throw new DecodeError("USB/IP device list", 8, `${count} devices`);
  const devices: UsbipListedDevice[] = [];
  let at = usbipOpHeaderBytes + 4;
  for (let index = 0; index < count; index++) {
    if (bytes.length - at < usbipDeviceRecordBytes) return null;
    const device = decodeDeviceRecord(bytes, at);
    at += usbipDeviceRecordBytes;
    if (bytes.length - at < 4 * device.bNumInterfaces) return null;
    const reader = new ByteReader(bytes, "USB/IP interface list", at);
    const interfaces = Array.from({ length: device.bNumInterfaces }, () => {
      const [bInterfaceClass, bInterfaceSubClass, bInterfaceProtocol] = reader.take(4, "interface");
      return { bInterfaceClass, bInterfaceSubClass, bInterfaceProtocol };
    });
    at = reader.offset;
    devices.push({ device, interfaces });
  }
  return devices;
}

/** The 48 bytes before every message of the transfer phase; fields mean what `command` makes of them. */
export interface UsbipHeader {
  command: number;
  sequence: number;
  deviceId: number;
  /** 0 OUT, 1 IN. */
  direction: number;
  endpoint: number;
  /** submit: transfer flags. unlink: the sequence to cancel. replies: status, signed. */
  word20: number;
  /** submit: buffer length. returnSubmit: actual length. */
  length: number;
  startFrame: number;
  isoPackets: number;
  /** submit: interval. returnSubmit: error count. */
  interval: number;
}

export function newUsbipHeader(): UsbipHeader {
  return {
    command: 0,
    sequence: 0,
    deviceId: 0,
    direction: 0,
    endpoint: 0,
    word20: 0,
    length: 0,
    startFrame: 0,
    isoPackets: 0,
    interval: 0,
  };
}

/** Fills `into` from 48 bytes at `offset`; the caller has made sure of them. */
export function readUsbipHeader(bytes: Uint8Array, offset: number, into: UsbipHeader): void {
  const at = (index: number): number =>
    ((bytes[offset + index] << 24) |
      (bytes[offset + index + 1] << 16) |
      (bytes[offset + index + 2] << 8) |
      bytes[offset + index + 3]) >>>
    0;
  into.command = at(0);
  into.sequence = at(4);
  into.deviceId = at(8);
  into.direction = at(12);
  into.endpoint = at(16);
  into.word20 = at(20);
  into.length = at(24);
  into.startFrame = at(28);
  into.isoPackets = at(32);
  into.interval = at(36);
}

/** Writes 48 bytes at `offset`; `setup` is 8 bytes or null. */
export function writeUsbipHeader(
  bytes: Uint8Array,
  offset: number,
  header: UsbipHeader,
  setup: Uint8Array | null,
): void {
  const put = (index: number, value: number): void => {
    bytes[offset + index] = value >>> 24;
    bytes[offset + index + 1] = value >>> 16;
    bytes[offset + index + 2] = value >>> 8;
    bytes[offset + index + 3] = value;
  };
  put(0, header.command);
  put(4, header.sequence);
  put(8, header.deviceId);
  put(12, header.direction);
  put(16, header.endpoint);
  put(20, header.word20);
  put(24, header.length);
  put(28, header.startFrame);
  put(32, header.isoPackets);
  put(36, header.interval);
  for (let index = 0; index < 8; index++) bytes[offset + 40 + index] = setup === null ? 0 : setup[index];
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function putText(bytes: Uint8Array, offset: number, length: number, text: string): void {
  const encoded = encodeUtf8(text);
  bytes.set(encoded.subarray(0, length - 1), offset);
}

function getText(bytes: Uint8Array, offset: number, length: number): string {
  let end = offset;
  while (end < offset + length && end < bytes.length && bytes[end] !== 0) end++;
  return decodeUtf8(bytes.subarray(offset, end));
}
