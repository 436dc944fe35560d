// usbredir packets to values and back, under the capabilities that both sides agreed upon (linux-guest.md §6).

import { ByteReader, putU16le, putU32le } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";
import { decodeUtf8, encodeUtf8 } from "../../base/text.ts";
import {
  UsbredirCapability,
  type UsbredirHeader,
  type UsbredirId,
  type UsbredirKind,
  UsbredirType,
  usbredirHeaderBytes,
  usbredirHelloHeaderBytes,
  usbredirKind,
  usbredirNoEndpoint,
  writeUsbredirHeader,
} from "./usbredir.ts";

/** Field by field, with its bytes. Packets without fields are only their type. */
const layouts = {
  deviceDisconnect: {},
  reset: {},
  setConfiguration: { configuration: 1 },
  getConfiguration: {},
  configurationStatus: { status: 1, configuration: 1 },
  setAlternate: { interface: 1, alternate: 1 },
  getAlternate: { interface: 1 },
  alternateStatus: { status: 1, interface: 1, alternate: 1 },
  startIsoStream: { endpoint: 1, packetsPerTransfer: 1, transfers: 1 },
  stopIsoStream: { endpoint: 1 },
  isoStreamStatus: { status: 1, endpoint: 1 },
  startInterruptReceiving: { endpoint: 1 },
  stopInterruptReceiving: { endpoint: 1 },
  interruptReceivingStatus: { status: 1, endpoint: 1 },
  /** `endpoints` is a mask by endpoint index. */
  allocBulkStreams: { endpoints: 4, streams: 4 },
  freeBulkStreams: { endpoints: 4 },
  bulkStreamsStatus: { endpoints: 4, streams: 4, status: 1 },
  cancelDataPacket: {},
  filterReject: {},
  deviceDisconnectAck: {},
  startBulkReceiving: { stream: 4, bytesPerTransfer: 4, endpoint: 1, transfers: 1 },
  stopBulkReceiving: { stream: 4, endpoint: 1 },
  bulkReceivingStatus: { stream: 4, endpoint: 1, status: 1 },
} as const;
type Layouts = typeof layouts;
type FixedMessage = {
  [K in keyof Layouts]: { readonly kind: K } & { readonly [F in keyof Layouts[K]]: number };
}[keyof Layouts];

export interface UsbredirHello {
  readonly kind: "hello";
  /** Name and version of the program, for people. */
  readonly version: string;
  /** The first capability word; more are ignored, none is 0. */
  readonly capabilities: number;
}

export interface UsbredirDeviceConnect {
  readonly kind: "deviceConnect";
  /** A UsbredirSpeed. */
  readonly speed: number;
  readonly deviceClass: number;
  readonly subclass: number;
  readonly protocol: number;
  readonly vendor: number;
  readonly product: number;
  /** bcdDevice; not carried without the capability, then 0. */
  readonly deviceVersion: number;
}

export interface UsbredirInterface {
  readonly number: number;
  readonly interfaceClass: number;
  readonly subclass: number;
  readonly protocol: number;
}

export interface UsbredirInterfaceInfo {
  readonly kind: "interfaceInfo";
  /** At most 32. */
  readonly interfaces: readonly UsbredirInterface[];
}

export interface UsbredirEndpoint {
  /** As in endpoint descriptors: 0 control, 1 isochronous, 2 bulk, 3 interrupt. */
  readonly type: number;
  readonly interval: number;
  readonly interface: number;
  /** Carried with the capability only, else 0. */
  readonly packetBytes: number;
  /** Streams that the endpoint has; carried with the capability only, else 0. */
  readonly streams: number;
}

export interface UsbredirEndpointInfo {
  readonly kind: "endpointInfo";
  /** 32 entries by endpoint index; null where there is none. */
  readonly endpoints: readonly (UsbredirEndpoint | null)[];
}

export interface UsbredirFilter {
  readonly kind: "filterFilter";
  readonly rules: string;
}

/**
 * Data is there in an OUT from the guest and in an IN from the host. It is a view of what was decoded. A packet is
 * answered by itself with another status and length.
 */
export interface UsbredirControlPacket {
  readonly kind: "controlPacket";
  readonly endpoint: number;
  readonly request: number;
  readonly requestType: number;
  status: number;
  readonly value: number;
  readonly index: number;
  length: number;
  data: Uint8Array;
}

export interface UsbredirBulkPacket {
  readonly kind: "bulkPacket";
  readonly endpoint: number;
  status: number;
  length: number;
  readonly stream: number;
  data: Uint8Array;
}

export interface UsbredirPeriodicPacket {
  readonly kind: "isoPacket" | "interruptPacket";
  readonly endpoint: number;
  status: number;
  length: number;
  data: Uint8Array;
}

export interface UsbredirBufferedBulkPacket {
  readonly kind: "bufferedBulkPacket";
  readonly stream: number;
  length: number;
  readonly endpoint: number;
  status: number;
  data: Uint8Array;
}

export type UsbredirDataPacket =
  | UsbredirControlPacket
  | UsbredirBulkPacket
  | UsbredirPeriodicPacket
  | UsbredirBufferedBulkPacket;

export type UsbredirMessage =
  | FixedMessage
  | UsbredirHello
  | UsbredirDeviceConnect
  | UsbredirInterfaceInfo
  | UsbredirEndpointInfo
  | UsbredirFilter
  | UsbredirDataPacket;

/** Larger data packets than this are no transfers, they are attacks or accidents. */
export const usbredirDataMaximum = 16 << 20;

const versionBytes = 64;
const capabilityWordsMaximum = 16;
const filterBytesMaximum = 4096;
const tableEntries = 32;
const interfaceInfoBytes = 4 + 4 * tableEntries;

const has = (capabilities: number, mask: number): boolean => (capabilities & mask) !== 0;

/** Bytes before the data. */
function dataHeaderBytes(kind: UsbredirDataPacket["kind"], capabilities: number): number {
  switch (kind) {
    case "bulkPacket":
      return has(capabilities, UsbredirCapability.longBulk) ? 10 : 8;
    case "isoPacket":
    case "interruptPacket":
      return 4;
    default:
      return 10;
  }
}

function endpointInfoBytes(capabilities: number): number {
  const sizes = has(capabilities, UsbredirCapability.packetSizes) ? 2 : 0;
  const streams = has(capabilities, UsbredirCapability.bulkStreams) ? 4 : 0;
  return tableEntries * (3 + sizes + streams);
}

function fixedBytes(kind: UsbredirKind): number {
  let total = 0;
  for (const size of Object.values(layouts[kind as keyof Layouts])) total += size as number;
  return total;
}

/** The least and the greatest body that a packet of this kind can have. */
function bodyRange(kind: UsbredirKind, capabilities: number): readonly [number, number] {
  switch (kind) {
    case "hello":
      return [versionBytes, versionBytes + 4 * capabilityWordsMaximum];
    case "deviceConnect": {
      const bytes = has(capabilities, UsbredirCapability.deviceVersion) ? 10 : 8;
      return [bytes, bytes];
    }
    case "interfaceInfo":
      return [interfaceInfoBytes, interfaceInfoBytes];
    case "endpointInfo": {
      const bytes = endpointInfoBytes(capabilities);
      return [bytes, bytes];
    }
    case "filterFilter":
      return [1, filterBytesMaximum];
    case "controlPacket":
    case "bulkPacket":
    case "isoPacket":
    case "interruptPacket":
    case "bufferedBulkPacket": {
      const bytes = dataHeaderBytes(kind, capabilities);
      return [bytes, bytes + usbredirDataMaximum];
    }
    default: {
      const bytes = fixedBytes(kind);
      return [bytes, bytes];
    }
  }
}

/** Throws DecodeError for an unknown type and for a length that its kind cannot have, before the body has come. */
export function checkUsbredirHeader(header: UsbredirHeader, capabilities: number): UsbredirKind {
  const kind = usbredirKind(header.type);
  const [least, greatest] = bodyRange(kind, capabilities);
  if (header.length < least || header.length > greatest) {
    const wanted = least === greatest ? `${least}` : `${least} to ${greatest}`;
    throw new DecodeError(`usbredir ${kind}`, 4, `length ${header.length}, expected ${wanted}`);
  }
  return kind;
}

/**
 * The packet at `offset`, whole, whose header was checked. `sender` decides where data may be. Offsets in errors count
 * from the packet's first byte.
 */
export function decodeUsbredir(
  kind: UsbredirKind,
  header: UsbredirHeader,
  bytes: Uint8Array,
  offset: number,
  capabilities: number,
  sender: "guest" | "host",
): UsbredirMessage {
  const headerBytes = kind === "hello" ? usbredirHelloHeaderBytes : usbredirHeaderBytes(capabilities);
  const packet = bytes.subarray(offset, offset + headerBytes + header.length);
  const reader = new ByteReader(packet, `usbredir ${kind}`, headerBytes);
  switch (kind) {
    case "hello":
      return readHello(reader);
    case "deviceConnect":
      return {
        kind,
        speed: reader.u8("speed"),
        deviceClass: reader.u8("class"),
        subclass: reader.u8("subclass"),
        protocol: reader.u8("protocol"),
        vendor: reader.u16le("vendor"),
        product: reader.u16le("product"),
        deviceVersion: reader.remaining >= 2 ? reader.u16le("version") : 0,
      };
    case "interfaceInfo":
      return readInterfaceInfo(reader);
    case "endpointInfo":
      return readEndpointInfo(reader, capabilities);
    case "filterFilter":
      if (packet.at(-1) !== 0) reader.fail("the rules do not end with NUL", packet.length - 1);
      return { kind, rules: decodeUtf8(packet.subarray(headerBytes, packet.length - 1)) };
    case "controlPacket":
    case "bulkPacket":
    case "isoPacket":
    case "interruptPacket":
    case "bufferedBulkPacket":
      return readData(kind, reader, capabilities, sender);
    default: {
      const message: Record<string, number | string> = { kind };
      for (const [field, size] of Object.entries(layouts[kind])) {
        message[field] = size === 1 ? reader.u8(field) : reader.u32le(field);
      }
      return message as unknown as FixedMessage;
    }
  }
}

function readHello(reader: ByteReader): UsbredirHello {
  if (reader.remaining % 4 !== 0)
    reader.fail(`${reader.remaining} bytes are no whole number of words`, reader.end);
  const text = reader.take(versionBytes, "version");
  const end = text.indexOf(0);
  return {
    kind: "hello",
    version: decodeUtf8(end < 0 ? text : text.subarray(0, end)),
    capabilities: reader.remaining >= 4 ? reader.u32le("capabilities") : 0,
  };
}

function readInterfaceInfo(reader: ByteReader): UsbredirInterfaceInfo {
  const count = reader.u32le("count");
  if (count > tableEntries) reader.fail(`${count} interfaces`, reader.offset - 4);
  const columns = Array.from({ length: 4 }, () => reader.take(tableEntries, "interfaces"));
  const interfaces = Array.from({ length: count }, (_, index) => ({
    number: columns[0][index],
    interfaceClass: columns[1][index],
    subclass: columns[2][index],
    protocol: columns[3][index],
  }));
  return { kind: "interfaceInfo", interfaces };
}

function readEndpointInfo(reader: ByteReader, capabilities: number): UsbredirEndpointInfo {
  const typesAt = reader.offset;
  const [types, intervals, interfaces] = Array.from({ length: 3 }, () =>
    reader.take(tableEntries, "endpoints"),
  );
  const column = (isThere: boolean, read: () => number): number[] =>
    Array.from({ length: tableEntries }, () => (isThere ? read() : 0));
  const sizes = column(has(capabilities, UsbredirCapability.packetSizes), () => reader.u16le("packet size"));
  const streams = column(has(capabilities, UsbredirCapability.bulkStreams), () => reader.u32le("streams"));
  const endpoints = Array.from(types, (type, index) => {
    if (type === usbredirNoEndpoint) return null;
    if (type > 3) reader.fail(`endpoint type ${type}`, typesAt + index);
    return {
      type,
      interval: intervals[index],
      interface: interfaces[index],
      packetBytes: sizes[index],
      streams: streams[index],
    };
  });
  return { kind: "endpointInfo", endpoints };
}

function readData(
  kind: UsbredirDataPacket["kind"],
  reader: ByteReader,
  capabilities: number,
  sender: "guest" | "host",
): UsbredirDataPacket {
  const finish = (endpoint: number, length: number, lengthAt: number): Uint8Array => {
    const isIn = (endpoint & 0x80) !== 0;
    const expected = isIn === (sender === "host") ? length : 0;
    if (reader.remaining !== expected) {
      reader.fail(`${reader.remaining} bytes of data, expected ${expected}`, lengthAt);
    }
    return reader.bytes.subarray(reader.offset, reader.end);
  };
  const start = reader.offset;
  switch (kind) {
    case "controlPacket": {
      const fields = {
        endpoint: reader.u8("endpoint"),
        request: reader.u8("request"),
        requestType: reader.u8("request type"),
        status: reader.u8("status"),
        value: reader.u16le("value"),
        index: reader.u16le("index"),
        length: reader.u16le("length"),
      };
      return { kind, ...fields, data: finish(fields.endpoint, fields.length, start + 8) };
    }
    case "bulkPacket": {
      const endpoint = reader.u8("endpoint");
      const status = reader.u8("status");
      const low = reader.u16le("length");
      const stream = reader.u32le("stream");
      const high = has(capabilities, UsbredirCapability.longBulk) ? reader.u16le("length") : 0;
      const length = high * 0x1_0000 + low;
      return { kind, endpoint, status, length, stream, data: finish(endpoint, length, start + 2) };
    }
    case "bufferedBulkPacket": {
      const stream = reader.u32le("stream");
      const length = reader.u32le("length");
      const endpoint = reader.u8("endpoint");
      const status = reader.u8("status");
      return { kind, stream, length, endpoint, status, data: finish(endpoint, length, start + 4) };
    }
    default: {
      const endpoint = reader.u8("endpoint");
      const status = reader.u8("status");
      const length = reader.u16le("length");
      return { kind, endpoint, status, length, data: finish(endpoint, length, start + 2) };
    }
  }
}

/** Bytes before the data of a data packet, header included: room to leave in a buffer that becomes a packet. */
export function usbredirDataOffset(kind: UsbredirDataPacket["kind"], capabilities: number): number {
  return usbredirHeaderBytes(capabilities) + dataHeaderBytes(kind, capabilities);
}

/** Fills the first `usbredirDataOffset` bytes; `dataBytes` of data follow them. The fields of `packet` are written. */
export function writeUsbredirData(
  bytes: Uint8Array,
  packet: UsbredirDataPacket,
  dataBytes: number,
  id: UsbredirId,
  capabilities: number,
): void {
  const { kind } = packet;
  const length = dataHeaderBytes(kind, capabilities) + dataBytes;
  const at = writeUsbredirHeader(bytes, UsbredirType[kind], length, id, capabilities);
  switch (kind) {
    case "controlPacket":
      bytes[at] = packet.endpoint;
      bytes[at + 1] = packet.request;
      bytes[at + 2] = packet.requestType;
      bytes[at + 3] = packet.status;
      putU16le(bytes, at + 4, packet.value);
      putU16le(bytes, at + 6, packet.index);
      putU16le(bytes, at + 8, packet.length);
      break;
    case "bufferedBulkPacket":
      putU32le(bytes, at, packet.stream);
      putU32le(bytes, at + 4, packet.length);
      bytes[at + 8] = packet.endpoint;
      bytes[at + 9] = packet.status;
      break;
    default:
      bytes[at] = packet.endpoint;
      bytes[at + 1] = packet.status;
      putU16le(bytes, at + 2, packet.length & 0xffff);
      if (packet.kind !== "bulkPacket") break;
      putU32le(bytes, at + 4, packet.stream);
      if (has(capabilities, UsbredirCapability.longBulk)) putU16le(bytes, at + 8, packet.length >>> 16);
  }
}

/** A whole packet. `capabilities` are the agreed ones; a hello is written without them. */
export function encodeUsbredir(message: UsbredirMessage, id: UsbredirId, capabilities: number): Uint8Array {
  switch (message.kind) {
    case "hello": {
      const bytes = open("hello", versionBytes + 4, id, 0);
      bytes.set(encodeUtf8(message.version).subarray(0, versionBytes - 1), usbredirHelloHeaderBytes);
      putU32le(bytes, usbredirHelloHeaderBytes + versionBytes, message.capabilities);
      return bytes;
    }
    case "deviceConnect": {
      const [length] = bodyRange("deviceConnect", capabilities);
      const bytes = open("deviceConnect", length, id, capabilities);
      const at = bytes.length - length;
      bytes.set([message.speed, message.deviceClass, message.subclass, message.protocol], at);
      putU16le(bytes, at + 4, message.vendor);
      putU16le(bytes, at + 6, message.product);
      if (length > 8) putU16le(bytes, at + 8, message.deviceVersion);
      return bytes;
    }
    case "interfaceInfo": {
      const bytes = open("interfaceInfo", interfaceInfoBytes, id, capabilities);
      const at = bytes.length - interfaceInfoBytes;
      const shown = message.interfaces.slice(0, tableEntries);
      putU32le(bytes, at, shown.length);
      shown.forEach((entry, index) => {
        const fields = [entry.number, entry.interfaceClass, entry.subclass, entry.protocol];
        fields.forEach((value, column) => {
          bytes[at + 4 + column * tableEntries + index] = value;
        });
      });
      return bytes;
    }
    case "endpointInfo":
      return encodeEndpointInfo(message, id, capabilities);
    case "filterFilter": {
      const rules = encodeUtf8(message.rules);
      const bytes = open("filterFilter", rules.length + 1, id, capabilities);
      bytes.set(rules, bytes.length - rules.length - 1);
      return bytes;
    }
    case "controlPacket":
    case "bulkPacket":
    case "isoPacket":
    case "interruptPacket":
    case "bufferedBulkPacket": {
      const at = usbredirDataOffset(message.kind, capabilities);
      const bytes = new Uint8Array(at + message.data.length);
      writeUsbredirData(bytes, message, message.data.length, id, capabilities);
      bytes.set(message.data, at);
      return bytes;
    }
    default: {
      const { kind } = message;
      const length = fixedBytes(kind);
      const bytes = open(kind, length, id, capabilities);
      let at = bytes.length - length;
      for (const [field, size] of Object.entries(layouts[kind])) {
        const value = (message as unknown as Record<string, number>)[field];
        if (size === 1) bytes[at] = value;
        else putU32le(bytes, at, value);
        at += size;
      }
      return bytes;
    }
  }
}

function encodeEndpointInfo(message: UsbredirEndpointInfo, id: UsbredirId, capabilities: number): Uint8Array {
  const length = endpointInfoBytes(capabilities);
  const bytes = open("endpointInfo", length, id, capabilities);
  const at = bytes.length - length;
  bytes.fill(usbredirNoEndpoint, at, at + tableEntries);
  const hasSizes = has(capabilities, UsbredirCapability.packetSizes);
  const streamsAt = at + tableEntries * (hasSizes ? 5 : 3);
  message.endpoints.forEach((endpoint, index) => {
    if (endpoint === null || index >= tableEntries) return;
    bytes[at + index] = endpoint.type;
    bytes[at + tableEntries + index] = endpoint.interval;
    bytes[at + 2 * tableEntries + index] = endpoint.interface;
    if (hasSizes) putU16le(bytes, at + 3 * tableEntries + 2 * index, endpoint.packetBytes);
    if (has(capabilities, UsbredirCapability.bulkStreams)) {
      putU32le(bytes, streamsAt + 4 * index, endpoint.streams);
    }
  });
  return bytes;
}

/** A packet of `length` zero bytes behind its header. */
function open(kind: UsbredirKind, length: number, id: UsbredirId, capabilities: number): Uint8Array {
  const bytes = new Uint8Array(usbredirHeaderBytes(capabilities) + length);
  writeUsbredirHeader(bytes, UsbredirType[kind], length, id, capabilities);
  return bytes;
}
