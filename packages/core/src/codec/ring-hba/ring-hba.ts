// A small host adapter of our own design: registers, and the entries of its two rings in host memory.
//
// Numbers are little-endian. Requests have one scatter entry in IEEE form, whose flags say whose memory its address means.

import { getU16le, getU32le, putU16le, putU32le } from "../../base/bytes.ts";

export const ringHbaVendorId = 0x1d1d;
export const ringHbaDeviceId = 0x0b0b;

/** Offsets in BAR 0, all dwords. */
export const RingHbaRegister = {
  identity: 0x00,
  /** Bit 0: enable. Bit 1: reset, which ends everything and clears itself. */
  control: 0x04,
  state: 0x08,
  /** Bit n: target n is there. */
  targets: 0x0c,
  requestsLow: 0x10,
  requestsHigh: 0x14,
  repliesLow: 0x18,
  repliesHigh: 0x1c,
  /** Of both rings, 2 to 1024. */
  entries: 0x20,
  /** Where the host will write its next request. */
  producer: 0x24,
  /** Where the host will read its next reply. */
  consumer: 0x28,
  /** A tag: that request is to end as aborted. */
  abort: 0x2c,
} as const;

/** "RHBA". */
export const ringHbaIdentity = 0x41424852;
export const RingHbaControl = { enable: 1, reset: 2 } as const;
export const RingHbaState = { off: 0, booting: 1, ready: 2, fault: 0xf } as const;
export type RingHbaState = (typeof RingHbaState)[keyof typeof RingHbaState];
export const ringHbaEntriesMaximum = 1024;

/** Whose memory a scatter entry means: bits 1:0 of its flags. */
export const RingHbaSpace = { system: 0, local: 1 } as const;

export const requestBytes = 64;
export const replyBytes = 16;

/** A request, as a record that is used again; the CDB has 16 bytes of room. */
export interface RingHbaRequest {
  tag: number;
  target: number;
  lun: number;
  cdbBytes: number;
  readonly cdb: Uint8Array;
  senseAddress: number;
  address: number;
  lengthBytes: number;
  space: number;
}

export function newRingHbaRequest(): RingHbaRequest {
  return {
    tag: 0,
    target: 0,
    lun: 0,
    cdbBytes: 0,
    cdb: new Uint8Array(16),
    senseAddress: 0,
    address: 0,
    lengthBytes: 0,
    space: 0,
  };
}

/** Any bytes have a meaning: judging them is the firmware's. */
export function readRingHbaRequest(bytes: Uint8Array, at: number, into: RingHbaRequest): void {
  into.tag = getU16le(bytes, at);
  into.target = bytes[at + 2];
  into.lun = bytes[at + 3];
  into.cdbBytes = bytes[at + 4];
  for (let index = 0; index < 16; index++) into.cdb[index] = bytes[at + 16 + index];
  into.senseAddress = getAddress(bytes, at + 8);
  into.address = getAddress(bytes, at + 32);
  into.lengthBytes = getU32le(bytes, at + 40);
  into.space = bytes[at + 47] & 3;
}

export function writeRingHbaRequest(bytes: Uint8Array, at: number, request: RingHbaRequest): void {
  bytes.fill(0, at, at + requestBytes);
  putU16le(bytes, at, request.tag);
  bytes[at + 2] = request.target;
  bytes[at + 3] = request.lun;
  bytes[at + 4] = request.cdbBytes;
  putAddress(bytes, at + 8, request.senseAddress);
  for (let index = 0; index < 16; index++) bytes[at + 16 + index] = request.cdb[index];
  putAddress(bytes, at + 32, request.address);
  putU32le(bytes, at + 40, request.lengthBytes);
  bytes[at + 47] = request.space;
}

/** How a request ended. */
export const RingHbaStatus = {
  good: 0,
  /** `scsiStatus` and sense say more. */
  scsi: 1,
  noTarget: 2,
  badRequest: 3,
  /** The host let nobody read. */
  transfer: 4,
  aborted: 5,
} as const;

/** A reply, used again. `phase` is 1 in the first pass over the ring, 0 in the second, and so on. */
export interface RingHbaReply {
  tag: number;
  status: number;
  scsiStatus: number;
  movedBytes: number;
  senseBytes: number;
  phase: number;
}

export function newRingHbaReply(): RingHbaReply {
  return { tag: 0, status: 0, scsiStatus: 0, movedBytes: 0, senseBytes: 0, phase: 0 };
}

export function readRingHbaReply(bytes: Uint8Array, at: number, into: RingHbaReply): void {
  into.tag = getU16le(bytes, at);
  into.status = bytes[at + 2];
  into.scsiStatus = bytes[at + 3];
  into.movedBytes = getU32le(bytes, at + 4);
  into.senseBytes = bytes[at + 8];
  into.phase = bytes[at + 15] & 1;
}

export function writeRingHbaReply(bytes: Uint8Array, at: number, reply: RingHbaReply): void {
  bytes.fill(0, at, at + replyBytes);
  putU16le(bytes, at, reply.tag);
  bytes[at + 2] = reply.status;
  bytes[at + 3] = reply.scsiStatus;
  putU32le(bytes, at + 4, reply.movedBytes);
  bytes[at + 8] = reply.senseBytes;
  bytes[at + 15] = reply.phase;
}

function putAddress(bytes: Uint8Array, at: number, address: number): void {
  putU32le(bytes, at, address >>> 0);
  putU32le(bytes, at + 4, Math.floor(address / 4294967296));
}

function getAddress(bytes: Uint8Array, at: number): number {
  return getU32le(bytes, at + 4) * 4294967296 + getU32le(bytes, at);
}
