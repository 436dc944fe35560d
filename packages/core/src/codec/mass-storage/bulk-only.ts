// CBW and CSW of the Bulk-Only Transport: USB Mass Storage Class Bulk-Only Transport, revision 1.0.

import { getU32le, putU32le } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";

/** bInterfaceClass, bInterfaceSubClass (SCSI transparent command set) and bInterfaceProtocol: §4.3. */
export const massStorageClass = 0x08;
export const scsiSubClass = 0x06;
export const bulkOnlyProtocol = 0x50;

/** Class requests to the interface: §3.1 and §3.2. */
export const BulkOnlyRequest = { reset: 0xff, getMaxLun: 0xfe } as const;

/** dCBWSignature "USBC" and dCSWSignature "USBS", as little-endian numbers: §5.1, §5.2. */
export const commandSignature = 0x43425355;
export const statusSignature = 0x53425355;

export const commandWrapperBytes = 31;
export const statusWrapperBytes = 13;
export const bulkOnlyCdbMaximum = 16;

/** bCSWStatus: table 5.3. */
export const BulkOnlyStatus = { passed: 0, failed: 1, phaseError: 2 } as const;
export type BulkOnlyStatus = (typeof BulkOnlyStatus)[keyof typeof BulkOnlyStatus];

const directionIn = 0x80;
const cdbAt = 15;

/** A command block wrapper, table 5.1. Reused by whoever decodes on a hot path. */
export interface CommandWrapper {
  tag: number;
  /** dCBWDataTransferLength: what the host expects to move. */
  dataBytes: number;
  /** Bit 7 of bmCBWFlags; without meaning when `dataBytes` is 0. */
  isIn: boolean;
  lun: number;
  cdbBytes: number;
  readonly cdb: Uint8Array;
}

/** A command status wrapper, table 5.2. */
export interface StatusWrapper {
  tag: number;
  /** dCSWDataResidue: expected less moved. */
  residue: number;
  status: number;
}

export function newCommandWrapper(): CommandWrapper {
  return { tag: 0, dataBytes: 0, isIn: false, lun: 0, cdbBytes: 0, cdb: new Uint8Array(bulkOnlyCdbMaximum) };
}

export function newStatusWrapper(): StatusWrapper {
  return { tag: 0, residue: 0, status: 0 };
}

/** Writes the 31 bytes of a CBW to the beginning of `bytes`. `cdbBytes` is 1 to 16; the rest of the block is zeros. */
export function putCommandWrapper(
  bytes: Uint8Array,
  tag: number,
  dataBytes: number,
  isIn: boolean,
  lun: number,
  cdb: Uint8Array,
  cdbBytes: number,
): void {
  putU32le(bytes, 0, commandSignature);
  putU32le(bytes, 4, tag);
  putU32le(bytes, 8, dataBytes);
  bytes[12] = isIn ? directionIn : 0;
  bytes[13] = lun & 0x0f;
  bytes[14] = cdbBytes & 0x1f;
  for (let index = 0; index < bulkOnlyCdbMaximum; index++)
    bytes[cdbAt + index] = index < cdbBytes ? cdb[index] : 0;
}

/** True for 31 bytes that begin with the signature: "valid" in the words of §6.2.1. */
export function isCommandWrapper(bytes: Uint8Array, offset: number, length: number): boolean {
  return length === commandWrapperBytes && getU32le(bytes, offset) === commandSignature;
}

/**
 * Reads a CBW at `offset`. DecodeError when it is not valid (§6.2.1: length, signature) or not meaningful (§6.2.2:
 * reserved bits, a CDB length outside 1 to 16).
 */
export function decodeCommandWrapper(
  bytes: Uint8Array,
  offset: number,
  length: number,
  into: CommandWrapper = newCommandWrapper(),
): CommandWrapper {
  if (length !== commandWrapperBytes || bytes.length - offset < commandWrapperBytes)
    throw new DecodeError("CBW", Math.min(length, bytes.length), `a CBW has 31 bytes, not ${length}`);
  if (getU32le(bytes, offset) !== commandSignature)
    throw new DecodeError("CBW", 0, "dCBWSignature is not 43425355h");
  if ((bytes[offset + 12] & 0x7f) !== 0)
    throw new DecodeError("CBW", 12, "reserved bits of bmCBWFlags are set");
  if ((bytes[offset + 13] & 0xf0) !== 0)
    throw new DecodeError("CBW", 13, "reserved bits above bCBWLUN are set");
  const cdbBytes = bytes[offset + 14];
  if (cdbBytes < 1 || cdbBytes > bulkOnlyCdbMaximum)
    throw new DecodeError("CBW", 14, `bCBWCBLength is ${cdbBytes}, not 1 to 16`);
  into.tag = getU32le(bytes, offset + 4);
  into.dataBytes = getU32le(bytes, offset + 8);
  into.isIn = (bytes[offset + 12] & directionIn) !== 0;
  into.lun = bytes[offset + 13];
  into.cdbBytes = cdbBytes;
  for (let index = 0; index < bulkOnlyCdbMaximum; index++)
    into.cdb[index] = index < cdbBytes ? bytes[offset + cdbAt + index] : 0;
  return into;
}

/** Writes the 13 bytes of a CSW at `offset`. */
export function putStatusWrapper(
  bytes: Uint8Array,
  offset: number,
  tag: number,
  residue: number,
  status: number,
): void {
  putU32le(bytes, offset, statusSignature);
  putU32le(bytes, offset + 4, tag);
  putU32le(bytes, offset + 8, residue);
  bytes[offset + 12] = status;
}

/** True for 13 bytes that begin with the signature: "valid" in the words of §6.3.1, but for the tag. */
export function isStatusWrapper(bytes: Uint8Array, offset: number, length: number): boolean {
  return length === statusWrapperBytes && getU32le(bytes, offset) === statusSignature;
}

/** Reads a CSW at `offset`; DecodeError when length or signature is wrong. Tag and residue are the caller's to judge. */
export function decodeStatusWrapper(
  bytes: Uint8Array,
  offset: number,
  length: number,
  into: StatusWrapper = newStatusWrapper(),
): StatusWrapper {
  if (length !== statusWrapperBytes || bytes.length - offset < statusWrapperBytes)
    throw new DecodeError("CSW", Math.min(length, bytes.length), `a CSW has 13 bytes, not ${length}`);
  if (getU32le(bytes, offset) !== statusSignature)
    throw new DecodeError("CSW", 0, "dCSWSignature is not 53425355h");
  into.tag = getU32le(bytes, offset + 4);
  into.residue = getU32le(bytes, offset + 8);
  into.status = bytes[offset + 12];
  return into;
}
