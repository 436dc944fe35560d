// usbredir: types, capabilities, statuses and the packet header. Protocol 0.7, little-endian (linux-guest.md §6).

import { getU32le, putU32le } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";

/** First word of each packet. */
export const UsbredirType = {
  hello: 0,
  deviceConnect: 1,
  deviceDisconnect: 2,
  reset: 3,
  interfaceInfo: 4,
  endpointInfo: 5,
  setConfiguration: 6,
  getConfiguration: 7,
  configurationStatus: 8,
  setAlternate: 9,
  getAlternate: 10,
  alternateStatus: 11,
  startIsoStream: 12,
  stopIsoStream: 13,
  isoStreamStatus: 14,
  startInterruptReceiving: 15,
  stopInterruptReceiving: 16,
  interruptReceivingStatus: 17,
  allocBulkStreams: 18,
  freeBulkStreams: 19,
  bulkStreamsStatus: 20,
  cancelDataPacket: 21,
  filterReject: 22,
  filterFilter: 23,
  deviceDisconnectAck: 24,
  startBulkReceiving: 25,
  stopBulkReceiving: 26,
  bulkReceivingStatus: 27,
  controlPacket: 100,
  bulkPacket: 101,
  isoPacket: 102,
  interruptPacket: 103,
  bufferedBulkPacket: 104,
} as const;
export type UsbredirKind = keyof typeof UsbredirType;

/** Masks of the first capability word. A capability holds when both sides have announced it. */
export const UsbredirCapability = {
  bulkStreams: 1 << 0,
  /** bcdDevice in deviceConnect. */
  deviceVersion: 1 << 1,
  filter: 1 << 2,
  disconnectAck: 1 << 3,
  /** Packet sizes in endpointInfo. */
  packetSizes: 1 << 4,
  /** Packet ids of 64 bits, from the packet after the hello on. */
  wideIds: 1 << 5,
  /** Bulk lengths of 32 bits. */
  longBulk: 1 << 6,
  bulkReceiving: 1 << 7,
} as const;

/** How a packet ended. */
export const UsbredirStatus = {
  ok: 0,
  cancelled: 1,
  invalid: 2,
  ioError: 3,
  stall: 4,
  timeout: 5,
  babble: 6,
} as const;
export type UsbredirStatus = (typeof UsbredirStatus)[keyof typeof UsbredirStatus];

export const UsbredirSpeed = { low: 0, full: 1, high: 2, super: 3, unknown: 255 } as const;

/** Transfer types are numbered as in endpoint descriptors; this one is no endpoint. */
export const usbredirNoEndpoint = 255;

/** Echoed by every answer. Ids that a number cannot hold are bigints. */
export type UsbredirId = number | bigint;

export interface UsbredirHeader {
  type: number;
  /** Bytes after the header. */
  length: number;
  id: UsbredirId;
}

export const usbredirHelloHeaderBytes = 12;

/** The header's size under the agreed capabilities; a hello's is always the small one. */
export function usbredirHeaderBytes(capabilities: number): number {
  return (capabilities & UsbredirCapability.wideIds) !== 0 ? 16 : usbredirHelloHeaderBytes;
}

/** Fills `into`; the caller has made sure of `usbredirHeaderBytes` at `offset`. */
export function readUsbredirHeader(
  bytes: Uint8Array,
  offset: number,
  capabilities: number,
  into: UsbredirHeader,
): void {
  into.type = getU32le(bytes, offset);
  into.length = getU32le(bytes, offset + 4);
  const low = getU32le(bytes, offset + 8);
  const high = (capabilities & UsbredirCapability.wideIds) !== 0 ? getU32le(bytes, offset + 12) : 0;
  into.id = high < 0x20_0000 ? high * 0x1_0000_0000 + low : (BigInt(high) << 32n) | BigInt(low);
}

/** Writes the header and answers its size. */
export function writeUsbredirHeader(
  bytes: Uint8Array,
  type: number,
  length: number,
  id: UsbredirId,
  capabilities: number,
): number {
  putU32le(bytes, 0, type);
  putU32le(bytes, 4, length);
  const isNumber = typeof id === "number";
  putU32le(bytes, 8, isNumber ? id % 0x1_0000_0000 : Number(id & 0xffff_ffffn));
  if ((capabilities & UsbredirCapability.wideIds) === 0) return usbredirHelloHeaderBytes;
  putU32le(bytes, 12, isNumber ? Math.floor(id / 0x1_0000_0000) : Number(id >> 32n));
  return 16;
}

/** How endpoints are numbered in tables and masks: IN endpoints from 16 on. */
export function usbredirEndpointIndex(address: number): number {
  return ((address & 0x80) >> 3) | (address & 0x0f);
}

export function usbredirEndpointAddress(index: number): number {
  return ((index & 0x10) << 3) | (index & 0x0f);
}

const kindOf = new Map<number, UsbredirKind>();
for (const [kind, type] of Object.entries(UsbredirType)) kindOf.set(type, kind as UsbredirKind);

/** Throws DecodeError for a type that the protocol does not have. */
export function usbredirKind(type: number): UsbredirKind {
  const kind = kindOf.get(type);
  if (kind === undefined) throw new DecodeError("usbredir packet", 0, `type ${type} is unknown`);
  return kind;
}
