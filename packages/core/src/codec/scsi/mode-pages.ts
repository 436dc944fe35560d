// MODE SENSE and MODE SELECT data: headers, block descriptors and the pages of a disk. SPC-4 §7.5, SBC-3 §6.4.

import {
  getU16be,
  getU24be,
  getU32be,
  getU64be,
  putU16be,
  putU24be,
  putU32be,
  putU64be,
} from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";

export const ModePage = {
  readWriteErrorRecovery: 0x01,
  disconnectReconnect: 0x02,
  caching: 0x08,
  control: 0x0a,
  powerCondition: 0x1a,
  informationalExceptions: 0x1c,
  all: 0x3f,
} as const;

/** Subpage of the control page with more controls; "all subpages". */
export const ModeSubpage = { none: 0x00, controlExtension: 0x01, all: 0xff } as const;

/** Device-specific parameter of a direct access device (SBC-3 §6.4.1). */
export const DeviceSpecific = { writeProtect: 0x80, dpoFua: 0x10 } as const;

export interface ModeHeader {
  /** 4 bytes from the 6-byte commands, 8 from the 10-byte ones. */
  readonly headerBytes: number;
  /** Of all data after the length field. */
  readonly dataLength: number;
  readonly deviceSpecific: number;
  readonly hasLongDescriptors: boolean;
  readonly blockDescriptorBytes: number;
}

/** Mode parameter header in front of `rest` (block descriptors and pages); the length field counts all that follows it. */
export function encodeModeData(
  isTen: boolean,
  deviceSpecific: number,
  descriptors: Uint8Array,
  pages: readonly Uint8Array[],
  isLongDescriptor = false,
): Uint8Array {
  const headerBytes = isTen ? 8 : 4;
  let length = headerBytes + descriptors.length;
  for (const page of pages) length += page.length;
  const bytes = new Uint8Array(length);
  if (isTen) {
    putU16be(bytes, 0, length - 2);
    bytes[3] = deviceSpecific;
    bytes[4] = isLongDescriptor ? 1 : 0;
    putU16be(bytes, 6, descriptors.length);
  } else {
    bytes[0] = Math.min(255, length - 1);
    bytes[2] = deviceSpecific;
    bytes[3] = descriptors.length;
  }
  bytes.set(descriptors, headerBytes);
  let at = headerBytes + descriptors.length;
  for (const page of pages) {
    bytes.set(page, at);
    at += page.length;
  }
  return bytes;
}

export function decodeModeHeader(bytes: Uint8Array, isTen: boolean): ModeHeader {
  const headerBytes = isTen ? 8 : 4;
  if (bytes.length < headerBytes)
    throw new DecodeError("mode parameter header", bytes.length, `needs ${headerBytes} bytes`);
  return {
    headerBytes,
    dataLength: isTen ? getU16be(bytes, 0) : bytes[0],
    deviceSpecific: isTen ? bytes[3] : bytes[2],
    hasLongDescriptors: isTen && (bytes[4] & 1) !== 0,
    blockDescriptorBytes: isTen ? getU16be(bytes, 6) : bytes[3],
  };
}

/** Eight bytes (blocks above 2^32-1 show as FFFFFFFFh), or sixteen in the long form. */
export function encodeBlockDescriptor(blockCount: number, blockBytes: number, isLong: boolean): Uint8Array {
  const bytes = new Uint8Array(isLong ? 16 : 8);
  if (isLong) {
    putU64be(bytes, 0, blockCount);
    putU32be(bytes, 12, blockBytes);
  } else {
    putU32be(bytes, 0, Math.min(blockCount, 0xffffffff));
    putU24be(bytes, 5, blockBytes);
  }
  return bytes;
}

export function decodeBlockDescriptor(
  bytes: Uint8Array,
  at: number,
  isLong: boolean,
): { blockCount: number; blockBytes: number } {
  return isLong
    ? { blockCount: getU64be(bytes, at), blockBytes: getU32be(bytes, at + 12) }
    : { blockCount: getU32be(bytes, at), blockBytes: getU24be(bytes, at + 5) };
}

/** One page inside mode data. */
export interface ModePageView {
  readonly page: number;
  readonly subpage: number;
  /** Header included. */
  readonly bytes: Uint8Array;
  /** Where it begins in the data it was read from. */
  readonly offset: number;
}

/** Length in bytes of the page that begins at `at`, header included. The header must be there. */
function pageBytes(bytes: Uint8Array, at: number): number {
  return (bytes[at] & 0x40) !== 0 ? 4 + getU16be(bytes, at + 2) : 2 + bytes[at + 1];
}

/** The pages from `at` on. Throws when one runs past the end. */
export function decodeModePages(bytes: Uint8Array, at: number, end = bytes.length): ModePageView[] {
  const pages: ModePageView[] = [];
  while (at < end) {
    const hasSubpage = (bytes[at] & 0x40) !== 0;
    if (at + (hasSubpage ? 4 : 2) > end) throw new DecodeError("mode page", at, "the header is cut off");
    const length = pageBytes(bytes, at);
    if (at + length > end) throw new DecodeError("mode page", at, `${length} bytes, ${end - at} are there`);
    pages.push({
      page: bytes[at] & 0x3f,
      subpage: hasSubpage ? bytes[at + 1] : 0,
      bytes: bytes.subarray(at, at + length),
      offset: at,
    });
    at += length;
  }
  return pages;
}

/** What a class driver looks for in page 08h (SBC-3 §6.4.5). */
export interface CachingPage {
  readonly writeCacheEnabled: boolean;
  readonly readCacheDisabled: boolean;
}

/** Page 08h, 20 bytes. */
export function encodeCachingPage(page: CachingPage): Uint8Array {
  const bytes = new Uint8Array(20);
  bytes[0] = ModePage.caching;
  bytes[1] = 18;
  bytes[2] = (page.writeCacheEnabled ? 0x04 : 0) | (page.readCacheDisabled ? 0x01 : 0);
  return bytes;
}

export function decodeCachingPage(bytes: Uint8Array): CachingPage {
  if (bytes.length < 3 || (bytes[0] & 0x3f) !== ModePage.caching)
    throw new DecodeError("caching mode page", 0, "not page 08h, or shorter than 3 bytes");
  return { writeCacheEnabled: (bytes[2] & 0x04) !== 0, readCacheDisabled: (bytes[2] & 0x01) !== 0 };
}
