// Vital product data pages of a disk. SPC-4 r37 §7.8, SBC-3 r36 §6.5.

import { getU16be, getU32be, getU64be, putU16be, putU32be, putU64be } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";
import { getAscii, putAscii } from "./inquiry.ts";

export const VpdPage = {
  supportedPages: 0x00,
  unitSerialNumber: 0x80,
  deviceIdentification: 0x83,
  extendedInquiry: 0x86,
  ataInformation: 0x89,
  blockLimits: 0xb0,
  blockDeviceCharacteristics: 0xb1,
  logicalBlockProvisioning: 0xb2,
} as const;

const vpdNames: Readonly<Record<number, string>> = {
  0: "Supported VPD pages",
  128: "Unit serial number",
  131: "Device identification",
  134: "Extended INQUIRY data",
  137: "ATA information",
  176: "Block limits",
  177: "Block device characteristics",
  178: "Logical block provisioning",
};

export function vpdPageName(page: number): string {
  return vpdNames[page] ?? `VPD page ${page.toString(16).padStart(2, "0")}h`;
}

/** A page with its header: device type 00h, page code, 16-bit length. */
function page(code: number, bodyBytes: number): Uint8Array {
  const bytes = new Uint8Array(4 + bodyBytes);
  bytes[1] = code;
  putU16be(bytes, 2, bodyBytes);
  return bytes;
}

/** Body of a page after checking its code; what the length field promises beyond the bytes is cut off. */
export function vpdBody(bytes: Uint8Array, code: number): Uint8Array {
  if (bytes.length < 4) throw new DecodeError(vpdPageName(code), bytes.length, "needs a header of 4 bytes");
  if (bytes[1] !== code) throw new DecodeError(vpdPageName(code), 1, `it is page ${bytes[1].toString(16)}h`);
  return bytes.subarray(4, Math.min(bytes.length, 4 + getU16be(bytes, 2)));
}

export function encodeSupportedPages(codes: readonly number[]): Uint8Array {
  const bytes = page(VpdPage.supportedPages, codes.length);
  bytes.set(
    [...codes].sort((left, right) => left - right),
    4,
  );
  return bytes;
}

export function decodeSupportedPages(bytes: Uint8Array): number[] {
  return [...vpdBody(bytes, VpdPage.supportedPages)];
}

export function encodeUnitSerialNumber(serial: string): Uint8Array {
  const bytes = page(VpdPage.unitSerialNumber, serial.length);
  putAscii(bytes, 4, serial.length, serial);
  return bytes;
}

export function decodeUnitSerialNumber(bytes: Uint8Array): string {
  const body = vpdBody(bytes, VpdPage.unitSerialNumber);
  return getAscii(body, 0, body.length).trim();
}

/** Designator types (SPC-4 table 582) and what a designator belongs to. */
export const DesignatorType = {
  vendorSpecific: 0,
  t10VendorId: 1,
  eui64: 2,
  naa: 3,
  relativeTargetPort: 4,
  targetPortGroup: 5,
  scsiName: 8,
} as const;
export const DesignatorOwner = { unit: 0, targetPort: 1, target: 2 } as const;
export const DesignatorCodeSet = { binary: 1, ascii: 2, utf8: 3 } as const;

export interface Designator {
  readonly codeSet: number;
  readonly owner: number;
  readonly type: number;
  readonly value: Uint8Array;
}

export function encodeDeviceIdentification(designators: readonly Designator[]): Uint8Array {
  let length = 0;
  for (const { value } of designators) length += 4 + value.length;
  const bytes = page(VpdPage.deviceIdentification, length);
  let at = 4;
  for (const { codeSet, owner, type, value } of designators) {
    bytes[at] = codeSet;
    bytes[at + 1] = (owner << 4) | type;
    bytes[at + 3] = value.length;
    bytes.set(value, at + 4);
    at += 4 + value.length;
  }
  return bytes;
}

export function decodeDeviceIdentification(bytes: Uint8Array): Designator[] {
  const body = vpdBody(bytes, VpdPage.deviceIdentification);
  const found: Designator[] = [];
  for (let at = 0; at < body.length; ) {
    if (at + 4 > body.length || at + 4 + body[at + 3] > body.length)
      throw new DecodeError("Device identification", 4 + at, "a designator runs past the end");
    const length = body[at + 3];
    found.push({
      codeSet: body[at] & 0x0f,
      owner: (body[at + 1] >> 4) & 3,
      type: body[at + 1] & 0x0f,
      value: body.slice(at + 4, at + 4 + length),
    });
    at += 4 + length;
  }
  return found;
}

/** Page 86h, 64 bytes: simple task attributes, field pointers in sense data, and nothing else. */
export function encodeExtendedInquiry(): Uint8Array {
  const bytes = page(VpdPage.extendedInquiry, 60);
  // UASK_SUP (field pointers), SIMPSUP.
  bytes[5] = 0x21;
  // V_SUP: there is a volatile cache.
  bytes[6] = 0x01;
  return bytes;
}

/** Everything in blocks. 0 means "no limit" or "not supported", as SBC-3 §6.5.3 says field by field. */
export interface BlockLimits {
  readonly maximumCompareAndWrite: number;
  readonly optimalGranularity: number;
  readonly maximumTransfer: number;
  readonly optimalTransfer: number;
  readonly maximumPrefetch: number;
  readonly maximumUnmapBlocks: number;
  readonly maximumUnmapDescriptors: number;
  readonly optimalUnmapGranularity: number;
  readonly maximumWriteSame: number;
  /** WSNZ: WRITE SAME with 0 blocks is refused. */
  readonly writeSameNonZero: boolean;
  readonly maximumAtomic: number;
  readonly atomicAlignment: number;
  readonly atomicGranularity: number;
}

export function encodeBlockLimits(limits: BlockLimits): Uint8Array {
  const bytes = page(VpdPage.blockLimits, 60);
  bytes[4] = limits.writeSameNonZero ? 0x01 : 0;
  bytes[5] = limits.maximumCompareAndWrite;
  putU16be(bytes, 6, limits.optimalGranularity);
  putU32be(bytes, 8, limits.maximumTransfer);
  putU32be(bytes, 12, limits.optimalTransfer);
  putU32be(bytes, 16, limits.maximumPrefetch);
  putU32be(bytes, 20, limits.maximumUnmapBlocks);
  putU32be(bytes, 24, limits.maximumUnmapDescriptors);
  putU32be(bytes, 28, limits.optimalUnmapGranularity);
  putU64be(bytes, 36, limits.maximumWriteSame);
  putU32be(bytes, 44, limits.maximumAtomic);
  putU32be(bytes, 48, limits.atomicAlignment);
  putU32be(bytes, 52, limits.atomicGranularity);
  return bytes;
}

/** The page grew over the years: fields that an older device does not send are 0. */
export function decodeBlockLimits(bytes: Uint8Array): BlockLimits {
  const body = vpdBody(bytes, VpdPage.blockLimits);
  const whole = new Uint8Array(64);
  whole.set(body.subarray(0, 60), 4);
  return {
    writeSameNonZero: (whole[4] & 1) !== 0,
    maximumCompareAndWrite: whole[5],
    optimalGranularity: getU16be(whole, 6),
    maximumTransfer: getU32be(whole, 8),
    optimalTransfer: getU32be(whole, 12),
    maximumPrefetch: getU32be(whole, 16),
    maximumUnmapBlocks: getU32be(whole, 20),
    maximumUnmapDescriptors: getU32be(whole, 24),
    optimalUnmapGranularity: getU32be(whole, 28),
    maximumWriteSame: getU64be(whole, 36),
    maximumAtomic: getU32be(whole, 44),
    atomicAlignment: getU32be(whole, 48),
    atomicGranularity: getU32be(whole, 52),
  };
}

export interface BlockDeviceCharacteristics {
  /** 1: does not rotate; otherwise turns per minute; 0: not told. */
  readonly rotationRate: number;
  /** 1 5.25", 2 3.5", 3 2.5", 4 1.8", 5 less; 0 not told. */
  readonly formFactor: number;
  /** WABEREQ and WACEREQ: must a block be written before it is read, after SANITIZE's block and cryptographic erase. */
  readonly afterBlockErase?: ReadAfterErase;
  readonly afterCryptographicErase?: ReadAfterErase;
}

/** How reads of erased blocks end (SBC-3 tables 208 and 209): not told, with data, with MEDIUM ERROR or DATA PROTECT. */
export const ReadAfterErase = { notTold: 0, good: 1, fails: 2, failsUntilWritten: 3 } as const;
export type ReadAfterErase = (typeof ReadAfterErase)[keyof typeof ReadAfterErase];

export function encodeBlockDeviceCharacteristics(data: BlockDeviceCharacteristics): Uint8Array {
  const bytes = page(VpdPage.blockDeviceCharacteristics, 60);
  putU16be(bytes, 4, data.rotationRate);
  bytes[7] =
    ((data.afterBlockErase ?? 0) << 6) | ((data.afterCryptographicErase ?? 0) << 4) | data.formFactor;
  return bytes;
}

export function decodeBlockDeviceCharacteristics(bytes: Uint8Array): BlockDeviceCharacteristics {
  const body = vpdBody(bytes, VpdPage.blockDeviceCharacteristics);
  if (body.length < 4)
    throw new DecodeError("Block device characteristics", 4 + body.length, "needs 4 bytes of body");
  return {
    rotationRate: getU16be(body, 0),
    formFactor: body[3] & 0x0f,
    afterBlockErase: (body[3] >> 6) as ReadAfterErase,
    afterCryptographicErase: ((body[3] >> 4) & 3) as ReadAfterErase,
  };
}

export interface LogicalBlockProvisioning {
  /** UNMAP, WRITE SAME(16) and WRITE SAME(10) with the UNMAP bit are served. */
  readonly canUnmap: boolean;
  readonly canWriteSame16: boolean;
  readonly canWriteSame10: boolean;
  readonly readsZeros: boolean;
  /** 0 not told, 1 resource, 2 thin. */
  readonly type: number;
}

export function encodeLogicalBlockProvisioning(data: LogicalBlockProvisioning): Uint8Array {
  const bytes = page(VpdPage.logicalBlockProvisioning, 4);
  bytes[5] =
    (data.canUnmap ? 0x80 : 0) |
    (data.canWriteSame16 ? 0x40 : 0) |
    (data.canWriteSame10 ? 0x20 : 0) |
    (data.readsZeros ? 0x04 : 0);
  bytes[6] = data.type;
  return bytes;
}

export function decodeLogicalBlockProvisioning(bytes: Uint8Array): LogicalBlockProvisioning {
  const body = vpdBody(bytes, VpdPage.logicalBlockProvisioning);
  if (body.length < 3)
    throw new DecodeError("Logical block provisioning", 4 + body.length, "needs 3 bytes of body");
  return {
    canUnmap: (body[1] & 0x80) !== 0,
    canWriteSame16: (body[1] & 0x40) !== 0,
    canWriteSame10: (body[1] & 0x20) !== 0,
    readsZeros: (body[1] & 0x1c) !== 0,
    type: body[2] & 0x07,
  };
}
