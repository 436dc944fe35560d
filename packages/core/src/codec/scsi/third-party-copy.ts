// Third-party copy: the parameter list of EXTENDED COPY(LID1), and what is told about a copy. SPC-4 r37 §6.4, §6.24.

import { getU16be, getU32be, getU64be, putU16be, putU32be, putU64be } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";

/** Types of descriptors that block devices use (§6.4.4, §6.4.6). */
export const CopyDescriptor = { blockToBlock: 0x02, identification: 0xe4 } as const;

/** LIST ID USAGE: whether a copy's results are held for its initiator (§6.4.3.2). */
export const ListIdUsage = { hold: 0, holdNoMore: 2, none: 3 } as const;

export const copyHeaderBytes = 16;
export const copyTargetBytes = 32;
const segmentHeaderBytes = 4;
/** DESCRIPTOR LENGTH of block to block. */
const blockSegmentBytes = 0x18;
const designatorAt = 8;
const designatorMaximum = 20;

/** One device of a copy, by a designator of its page 83h. */
export interface CopyTarget {
  readonly kind: number;
  readonly isNull: boolean;
  readonly deviceType: number;
  readonly codeSet: number;
  readonly designatorType: number;
  readonly designator: Uint8Array;
  /** Bytes in a block, as the list says. */
  readonly blockBytes: number;
}

/** Blocks from one device to another, or within one. */
export interface CopySegment {
  readonly kind: number;
  /** The count is in blocks of the destination. */
  readonly isByDestination: boolean;
  readonly source: number;
  readonly destination: number;
  readonly blocks: number;
  readonly sourceLba: number;
  readonly destinationLba: number;
}

export interface CopyHeader {
  readonly listId: number;
  readonly idUsage: number;
  readonly targetBytes: number;
  readonly segmentBytes: number;
  readonly inlineBytes: number;
}

/** Throws where the header is cut off, or the lengths in it lead beyond `bytes`. */
export function decodeCopyHeader(bytes: Uint8Array): CopyHeader {
  if (bytes.length < copyHeaderBytes)
    throw new DecodeError("EXTENDED COPY list", bytes.length, "needs 16 bytes");
  const targetBytes = getU16be(bytes, 2);
  const segmentBytes = getU32be(bytes, 8);
  const inlineBytes = getU32be(bytes, 12);
  if (copyHeaderBytes + targetBytes + segmentBytes + inlineBytes > bytes.length)
    throw new DecodeError("EXTENDED COPY list", 2, "the lengths are more than there is");
  return { listId: bytes[0], idUsage: (bytes[1] >> 3) & 3, targetBytes, segmentBytes, inlineBytes };
}

/** The 32 bytes at `at`, whatever kind they are of. */
export function decodeCopyTarget(bytes: Uint8Array, at: number): CopyTarget {
  if (at + copyTargetBytes > bytes.length) throw new DecodeError("target descriptor", at, "is cut off");
  const length = bytes[at + 7];
  if (length > designatorMaximum)
    throw new DecodeError("target descriptor", at + 7, `a designator of ${length} bytes`);
  return {
    kind: bytes[at],
    isNull: (bytes[at + 1] & 0x20) !== 0,
    deviceType: bytes[at + 1] & 0x1f,
    codeSet: bytes[at + 4] & 0x0f,
    designatorType: bytes[at + 5] & 0x0f,
    designator: bytes.slice(at + designatorAt, at + designatorAt + length),
    blockBytes: (bytes[at + 29] << 16) | (bytes[at + 30] << 8) | bytes[at + 31],
  };
}

export function encodeCopyTarget(target: Omit<CopyTarget, "kind" | "isNull">): Uint8Array {
  const bytes = new Uint8Array(copyTargetBytes);
  bytes[0] = CopyDescriptor.identification;
  bytes[1] = target.deviceType;
  bytes[4] = target.codeSet;
  bytes[5] = target.designatorType;
  bytes[7] = target.designator.length;
  bytes.set(target.designator.subarray(0, designatorMaximum), designatorAt);
  bytes[29] = target.blockBytes >> 16;
  putU16be(bytes, 30, target.blockBytes & 0xffff);
  return bytes;
}

/** The descriptor at `at`, and how long it says that it is; of other kinds only these two are told. */
export function decodeCopySegment(bytes: Uint8Array, at: number): { segment: CopySegment; length: number } {
  if (at + segmentHeaderBytes > bytes.length) throw new DecodeError("segment descriptor", at, "is cut off");
  const kind = bytes[at];
  const length = segmentHeaderBytes + getU16be(bytes, at + 2);
  const nothing = { source: 0, destination: 0, blocks: 0, sourceLba: 0, destinationLba: 0 };
  if (kind !== CopyDescriptor.blockToBlock)
    return { segment: { kind, isByDestination: false, ...nothing }, length };
  if (length !== segmentHeaderBytes + blockSegmentBytes)
    throw new DecodeError("segment descriptor", at + 2, `${length} bytes`);
  if (at + length > bytes.length) throw new DecodeError("segment descriptor", at, "is cut off");
  return {
    segment: {
      kind,
      isByDestination: (bytes[at + 1] & 0x02) !== 0,
      source: getU16be(bytes, at + 4),
      destination: getU16be(bytes, at + 6),
      blocks: getU16be(bytes, at + 10),
      sourceLba: getU64be(bytes, at + 12),
      destinationLba: getU64be(bytes, at + 20),
    },
    length,
  };
}

export function encodeCopySegment(segment: Omit<CopySegment, "kind">): Uint8Array {
  const bytes = new Uint8Array(segmentHeaderBytes + blockSegmentBytes);
  bytes[0] = CopyDescriptor.blockToBlock;
  bytes[1] = segment.isByDestination ? 0x02 : 0;
  putU16be(bytes, 2, blockSegmentBytes);
  putU16be(bytes, 4, segment.source);
  putU16be(bytes, 6, segment.destination);
  putU16be(bytes, 10, segment.blocks);
  putU64be(bytes, 12, segment.sourceLba);
  putU64be(bytes, 20, segment.destinationLba);
  return bytes;
}

export function encodeCopyList(
  listId: number,
  targets: readonly Uint8Array[],
  segments: readonly Uint8Array[],
): Uint8Array {
  const parts = [...targets, ...segments];
  const sum = (of: readonly Uint8Array[]) => of.reduce((total, { length }) => total + length, 0);
  const bytes = new Uint8Array(copyHeaderBytes + sum(parts));
  bytes[0] = listId;
  putU16be(bytes, 2, sum(targets));
  putU32be(bytes, 8, sum(segments));
  let at = copyHeaderBytes;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** What a copy manager can do, for RECEIVE COPY OPERATING PARAMETERS (§6.24.4). */
export interface CopyLimits {
  readonly targets: number;
  readonly segments: number;
  /** Bytes of both lists together, and most that one segment moves. */
  readonly listBytes: number;
  readonly segmentBytes: number;
}

export function encodeCopyLimits(limits: CopyLimits): Uint8Array {
  const kinds = [CopyDescriptor.blockToBlock, CopyDescriptor.identification];
  const bytes = new Uint8Array(44 + kinds.length);
  putU32be(bytes, 0, bytes.length - 4);
  // SNLID: LIST ID USAGE 3 is served.
  bytes[4] = 0x01;
  putU16be(bytes, 8, limits.targets);
  putU16be(bytes, 10, limits.segments);
  putU32be(bytes, 12, limits.listBytes);
  putU32be(bytes, 16, limits.segmentBytes);
  // One at a time: the command is over when its copy is.
  putU16be(bytes, 34, 1);
  bytes[36] = 1;
  bytes[43] = kinds.length;
  bytes.set(kinds, 44);
  return bytes;
}

export interface CopyStatus {
  readonly isFailed: boolean;
  readonly segments: number;
  /** What was written, in bytes. */
  readonly bytes: number;
}

/** RECEIVE COPY STATUS(LID1) of a copy that is over (§6.24.2). */
export function encodeCopyStatus({ bytes: moved, isFailed, segments }: CopyStatus): Uint8Array {
  const bytes = new Uint8Array(12);
  putU32be(bytes, 0, bytes.length - 4);
  bytes[4] = isFailed ? 2 : 1;
  putU16be(bytes, 5, segments);
  // TRANSFER COUNT UNITS: 0 bytes, 1 KiB.
  bytes[7] = moved > 0xffffffff ? 1 : 0;
  putU32be(bytes, 8, moved > 0xffffffff ? Math.floor(moved / 1024) : moved);
  return bytes;
}
