// MegaRAID firmware interface: registers, states, frames and their fields, as far as driver and model need them.
//
// Layout: the public headers of the MFI generation, as observed on QEMU's megasas. All numbers are little-endian.

import { getU16le, getU32le, putU16le, putU32le } from "../../base/bytes.ts";

/** Offsets in the register range. */
export const MfiRegister = {
  inboundDoorbell: 0x20,
  outboundStatus: 0x30,
  outboundMask: 0x34,
  /** 1078: frame address with the count of further frames in bits 4:1. */
  queuePort: 0x40,
  outboundDoorbellClear: 0xa0,
  state: 0xb0,
  /** The second generation's queue port; the high half is written first. */
  queuePortLow: 0xc0,
  queuePortHigh: 0xc4,
} as const;

/** Bits 31:28 of the state register. */
export const MfiState = {
  undefined: 0x0,
  boot: 0x1,
  init: 0x4,
  waitHandshake: 0x6,
  init2: 0x7,
  deviceScan: 0x8,
  bootMessage: 0x9,
  flush: 0xa,
  ready: 0xb,
  operational: 0xc,
  fault: 0xf,
} as const;
export type MfiState = (typeof MfiState)[keyof typeof MfiState];

/** The rest of the state register. */
export const mfiStateMsiX = 1 << 26;

export function encodeState(state: MfiState, maximumSges: number, maximumCommands: number): number {
  return ((state << 28) | mfiStateMsiX | (maximumSges << 16) | maximumCommands) >>> 0;
}

export function decodeState(word: number): { state: number; maximumSges: number; maximumCommands: number } {
  return { state: word >>> 28, maximumSges: (word >>> 16) & 0xff, maximumCommands: word & 0xffff };
}

export const MfiDoorbell = {
  abortAll: 0x01,
  ready: 0x02,
  mfiMode: 0x04,
  clearHandshake: 0x08,
  hotPlug: 0x10,
  stop: 0x20,
} as const;

/** Bits of status and mask, by generation: a reply is there, and what a driver listens to. */
export const mfiReplyBits = { "1078": 0x8000_0004, gen2: 0x5 } as const;
export type MfiGeneration = keyof typeof mfiReplyBits;

/** PCI ids: Broadcom (LSI) with one device of each generation. */
export const mfiVendorId = 0x1000;
export const mfiDeviceIds = { "1078": 0x0060, gen2: 0x0079 } as const;

export const MfiCommand = {
  init: 0,
  ldRead: 1,
  ldWrite: 2,
  ldScsi: 3,
  pdScsi: 4,
  dcmd: 5,
  abort: 6,
} as const;

/** Frame flags. */
export const MfiFlag = {
  dontPost: 0x01,
  sge64: 0x02,
  sense64: 0x04,
  write: 0x08,
  read: 0x10,
  ieeeSge: 0x20,
} as const;

export const MfiStatus = {
  ok: 0x00,
  invalidCommand: 0x01,
  invalidDcmd: 0x02,
  invalidParameter: 0x03,
  invalidSequence: 0x04,
  abortNotPossible: 0x05,
  deviceNotFound: 0x0c,
  lbaOutOfRange: 0x19,
  scsiError: 0x2d,
  ioFailed: 0x2e,
  wrongState: 0x32,
  ldOffline: 0x33,
  invalidSgl: 0x3c,
  pending: 0xff,
} as const;

const statusNames: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(MfiStatus).map(([name, value]) => [value, name.replace(/([A-Z])/g, " $1").toLowerCase()]),
);

export function describeMfiStatus(status: number): string {
  return statusNames[status] ?? `status 0x${status.toString(16)}`;
}

export const MfiDcmd = {
  controllerInfo: 0x0101_0000,
  eventInfo: 0x0104_0100,
  eventWait: 0x0104_0500,
  shutdown: 0x0105_0000,
  cacheFlush: 0x0110_1000,
  pdList: 0x0201_0000,
  ldList: 0x0301_0000,
} as const;

/** Codes of events, as firmware logs them. */
export const MfiEvent = { ldStateChanged: 0x51, pdRemoved: 0x70, ldCreated: 0x8a, ldDeleted: 0x8b } as const;

export const frameBytes = 64;
/** Where fields of a frame lie. */
export const MfiFrame = {
  command: 0,
  senseLength: 1,
  commandStatus: 2,
  scsiStatus: 3,
  target: 4,
  lun: 5,
  cdbLength: 6,
  sgeCount: 7,
  context: 8,
  flags: 16,
  timeout: 18,
  dataLength: 20,
  /** INIT: the queue information block. DCMD: opcode and mailbox. SCSI: sense address and CDB. */
  initInfo: 24,
  dcmdOpcode: 24,
  dcmdMailbox: 28,
  dcmdSges: 40,
  senseAddress: 24,
  cdb: 32,
  scsiSges: 48,
  abortContext: 24,
  abortAddress: 32,
  ldLba: 32,
  ldSges: 40,
} as const;

export const initInfoBytes = 32;
export const controllerInfoBytes = 2048;
/** QEMU takes exactly this for the list of logical drives. */
export const ldListBytes = 1032;
export const eventDetailBytes = 256;
export const eventInfoBytes = 20;
/** Where controller information keeps what a driver asks for. */
export const controllerInfoProduct = 1344;
export const controllerInfoSerial = 1424;

/** Whose memory an entry means (IEEE entries, bits 1:0 of their flags). */
export const MfiAddressSpace = { system: 0, controller: 1 } as const;

export const SgeFormat = { narrow: "32", wide: "64", ieee: "ieee" } as const;
export type SgeFormat = (typeof SgeFormat)[keyof typeof SgeFormat];

export const sgeBytes: Readonly<Record<SgeFormat, number>> = { "32": 8, "64": 12, ieee: 16 };
export const sgeFlags: Readonly<Record<SgeFormat, number>> = {
  "32": 0,
  "64": MfiFlag.sge64 | MfiFlag.sense64,
  ieee: MfiFlag.sge64 | MfiFlag.sense64 | MfiFlag.ieeeSge,
};

/** The format that a frame's flags announce. */
export function formatOf(flags: number): SgeFormat {
  if ((flags & MfiFlag.ieeeSge) !== 0) return SgeFormat.ieee;
  return (flags & MfiFlag.sge64) !== 0 ? SgeFormat.wide : SgeFormat.narrow;
}

export interface MfiSge {
  address: number;
  lengthBytes: number;
  space: number;
}

export function putAddress(bytes: Uint8Array, at: number, address: number): void {
  putU32le(bytes, at, address >>> 0);
  putU32le(bytes, at + 4, Math.floor(address / 4294967296));
}

export function getAddress(bytes: Uint8Array, at: number): number {
  return getU32le(bytes, at + 4) * 4294967296 + getU32le(bytes, at);
}

export function putSge(
  bytes: Uint8Array,
  at: number,
  format: SgeFormat,
  address: number,
  lengthBytes: number,
  space: number = MfiAddressSpace.system,
): void {
  if (format === SgeFormat.narrow) {
    putU32le(bytes, at, address >>> 0);
    putU32le(bytes, at + 4, lengthBytes);
    return;
  }
  putAddress(bytes, at, address);
  putU32le(bytes, at + 8, lengthBytes);
  // Reserved, chain offset, flags: end of list and address space.
  if (format === SgeFormat.ieee) putU32le(bytes, at + 12, ((0x40 | space) << 24) >>> 0);
}

export function readSge(bytes: Uint8Array, at: number, format: SgeFormat, into: MfiSge): void {
  into.space = format === SgeFormat.ieee ? bytes[at + 15] & 3 : MfiAddressSpace.system;
  if (format === SgeFormat.narrow) {
    into.address = getU32le(bytes, at);
    into.lengthBytes = getU32le(bytes, at + 4);
    return;
  }
  into.address = getAddress(bytes, at);
  into.lengthBytes = getU32le(bytes, at + 8);
}

/** INIT's queue information: where replies go. */
export interface MfiQueueInfo {
  readonly flags: number;
  readonly entries: number;
  readonly replies: number;
  readonly producer: number;
  readonly consumer: number;
}

export function encodeQueueInfo(info: MfiQueueInfo): Uint8Array {
  const bytes = new Uint8Array(initInfoBytes);
  putU32le(bytes, 0, info.flags);
  putU32le(bytes, 4, info.entries);
  putAddress(bytes, 8, info.replies);
  putAddress(bytes, 16, info.producer);
  putAddress(bytes, 24, info.consumer);
  return bytes;
}

export function decodeQueueInfo(bytes: Uint8Array): MfiQueueInfo {
  return {
    flags: getU32le(bytes, 0),
    entries: getU32le(bytes, 4),
    replies: getAddress(bytes, 8),
    producer: getAddress(bytes, 16),
    consumer: getAddress(bytes, 24),
  };
}

/** One row of the list of logical drives. */
export interface MfiLogicalDrive {
  readonly target: number;
  /** 3: optimal. */
  readonly state: number;
  readonly blocks: number;
}

export const ldOptimal = 3;
const ldMaximum = 64;

export function encodeLogicalDrives(drives: readonly MfiLogicalDrive[]): Uint8Array {
  const bytes = new Uint8Array(ldListBytes);
  putU32le(bytes, 0, drives.length);
  for (const [index, { target, state, blocks }] of drives.slice(0, ldMaximum).entries()) {
    const at = 8 + index * 16;
    bytes[at] = target;
    bytes[at + 4] = state;
    putAddress(bytes, at + 8, blocks);
  }
  return bytes;
}

/** Counts that lie are cut to what the list can hold. */
export function decodeLogicalDrives(bytes: Uint8Array): MfiLogicalDrive[] {
  const count = Math.min(getU32le(bytes, 0), ldMaximum, Math.floor((bytes.length - 8) / 16));
  return Array.from({ length: count }, (_, index) => {
    const at = 8 + index * 16;
    return { target: bytes[at], state: bytes[at + 4], blocks: getAddress(bytes, at + 8) };
  });
}

/** One row of the list of physical drives: target << 8 | LUN, as PD SCSI frames name it in two bytes. */
export interface MfiPhysicalDrive {
  readonly id: number;
  /** SCSI peripheral type: 0 a disk. */
  readonly type: number;
}

export const pdListLeast = 32;
const pdRowBytes = 24;
const noEnclosure = 0xffff;

/** Size, count, then rows; enclosure FFFFh: none. */
export function encodePhysicalDrives(drives: readonly MfiPhysicalDrive[]): Uint8Array {
  const bytes = new Uint8Array(8 + drives.length * pdRowBytes);
  putU32le(bytes, 0, bytes.length);
  putU32le(bytes, 4, drives.length);
  for (const [index, { id, type }] of drives.entries()) {
    const at = 8 + index * pdRowBytes;
    putU16le(bytes, at, id);
    putU16le(bytes, at + 2, noEnclosure);
    bytes[at + 4] = index;
    bytes[at + 5] = index;
    bytes[at + 6] = type;
  }
  return bytes;
}

/** Counts that lie are cut to what the bytes can hold. */
export function decodePhysicalDrives(bytes: Uint8Array): MfiPhysicalDrive[] {
  const count = Math.min(getU32le(bytes, 4), Math.floor((bytes.length - 8) / pdRowBytes));
  return Array.from({ length: count }, (_, index) => {
    const at = 8 + index * pdRowBytes;
    return { id: getU16le(bytes, at), type: bytes[at + 6] };
  });
}

/** What an event says: its number, its code, and the drive that it is about. */
export interface MfiEventDetail {
  readonly sequence: number;
  readonly code: number;
  readonly target: number;
  readonly text: string;
}

export function encodeEvent(event: MfiEventDetail): Uint8Array {
  const bytes = new Uint8Array(eventDetailBytes);
  putU32le(bytes, 0, event.sequence);
  putU32le(bytes, 8, event.code);
  putU16le(bytes, 32, event.target);
  for (let index = 0; index < Math.min(127, event.text.length); index++)
    bytes[128 + index] = event.text.charCodeAt(index) & 0x7f;
  return bytes;
}

export function decodeEvent(bytes: Uint8Array): MfiEventDetail {
  let text = "";
  for (let at = 128; at < bytes.length && bytes[at] !== 0; at++) text += String.fromCharCode(bytes[at]);
  return { sequence: getU32le(bytes, 0), code: getU32le(bytes, 8), target: getU16le(bytes, 32), text };
}
