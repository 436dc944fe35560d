// UNMAP parameter lists and GET LBA STATUS data. SBC-3 r36 §5.28 and §5.4.

import { getU16be, getU32be, getU64be, putU16be, putU32be, putU64be } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";

export interface UnmapRange {
  readonly lba: number;
  readonly blocks: number;
}

export function encodeUnmapList(ranges: readonly UnmapRange[]): Uint8Array {
  const bytes = new Uint8Array(8 + 16 * ranges.length);
  putU16be(bytes, 0, bytes.length - 2);
  putU16be(bytes, 2, 16 * ranges.length);
  for (const [index, { lba, blocks }] of ranges.entries()) {
    putU64be(bytes, 8 + 16 * index, lba);
    putU32be(bytes, 16 + 16 * index, blocks);
  }
  return bytes;
}

/**
 * Reads as many whole descriptors as the list says and the bytes hold (a cut-off last one is ignored, as the standard
 * demands). Throws when the header itself is cut off.
 */
export function decodeUnmapList(bytes: Uint8Array, at = 0, end = bytes.length): UnmapRange[] {
  if (end - at < 8) throw new DecodeError("UNMAP parameter list", end, "needs 8 bytes");
  const last = Math.min(end, at + 8 + getU16be(bytes, at + 2));
  const ranges: UnmapRange[] = [];
  for (let next = at + 8; next + 16 <= last; next += 16)
    ranges.push({ lba: getU64be(bytes, next), blocks: getU32be(bytes, next + 8) });
  return ranges;
}

/** 0 mapped or unknown, 1 deallocated, 2 anchored. */
export interface LbaStatus {
  readonly lba: number;
  readonly blocks: number;
  readonly status: number;
}

export function encodeLbaStatus(extents: readonly LbaStatus[]): Uint8Array {
  const bytes = new Uint8Array(8 + 16 * extents.length);
  putU32be(bytes, 0, bytes.length - 4);
  for (const [index, { lba, blocks, status }] of extents.entries()) {
    putU64be(bytes, 8 + 16 * index, lba);
    putU32be(bytes, 16 + 16 * index, blocks);
    bytes[20 + 16 * index] = status;
  }
  return bytes;
}

export function decodeLbaStatus(bytes: Uint8Array): LbaStatus[] {
  if (bytes.length < 8) throw new DecodeError("GET LBA STATUS data", bytes.length, "needs 8 bytes");
  const end = Math.min(bytes.length, 4 + getU32be(bytes, 0));
  const extents: LbaStatus[] = [];
  for (let at = 8; at + 16 <= end; at += 16)
    extents.push({
      lba: getU64be(bytes, at),
      blocks: getU32be(bytes, at + 8),
      status: bytes[at + 12] & 0x0f,
    });
  return extents;
}
