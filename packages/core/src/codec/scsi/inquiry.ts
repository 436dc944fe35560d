// Standard INQUIRY data, REPORT LUNS, READ CAPACITY: what an initiator asks first. SPC-4 §6.4.2, §6.33; SBC-3 §5.15.

import { getU16be, getU32be, getU64be, putU16be, putU32be, putU64be } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";

export interface StandardInquiry {
  /** 0 accessible, 1 not now, 3 never: there is no unit behind this LUN. */
  readonly qualifier: number;
  /** 00h direct access block device, 1fh unknown. */
  readonly deviceType: number;
  readonly isRemovable: boolean;
  /** 05h SPC-3, 06h SPC-4. */
  readonly version: number;
  /** CmdQue: the unit takes more than one command at a time. */
  readonly canQueue: boolean;
  /** 3PC: EXTENDED COPY is served. */
  readonly canCopy: boolean;
  /** At most 8, 16 and 4 ASCII characters. */
  readonly vendor: string;
  readonly product: string;
  readonly revision: string;
  /** Version descriptors (SPC-4 table 142), at most 8: which standards it claims. */
  readonly standards: readonly number[];
}

export const standardInquiryBytes = 96;

/** Version descriptors, "no version claimed" forms (SPC-4 annex F.9). */
export const VersionDescriptor = {
  sam5: 0x00a0,
  spc4: 0x0460,
  sbc3: 0x04c0,
  iscsi: 0x0960,
  uas: 0x1740,
} as const;

/** ASCII at `at`, filled up with blanks; what is not printable becomes a blank (SPC-4 §4.3.1). */
export function putAscii(into: Uint8Array, at: number, length: number, text: string): void {
  for (let index = 0; index < length; index++) {
    const unit = index < text.length ? text.charCodeAt(index) : 0x20;
    into[at + index] = unit < 0x20 || unit > 0x7e ? 0x20 : unit;
  }
}

export function getAscii(bytes: Uint8Array, at: number, length: number): string {
  let text = "";
  for (let index = at; index < at + length && index < bytes.length; index++) {
    text += bytes[index] < 0x20 || bytes[index] > 0x7e ? " " : String.fromCharCode(bytes[index]);
  }
  return text.trimEnd();
}

/** 96 bytes, descriptor of the additional length included. */
export function encodeStandardInquiry(data: StandardInquiry): Uint8Array {
  const bytes = new Uint8Array(standardInquiryBytes);
  bytes[0] = (data.qualifier << 5) | data.deviceType;
  bytes[1] = data.isRemovable ? 0x80 : 0;
  bytes[2] = data.version;
  // HISUP (LUNs in the flat form are understood) and response data format 2.
  bytes[3] = 0x12;
  bytes[4] = standardInquiryBytes - 5;
  bytes[5] = data.canCopy ? 0x08 : 0;
  bytes[7] = data.canQueue ? 0x02 : 0;
  putAscii(bytes, 8, 8, data.vendor);
  putAscii(bytes, 16, 16, data.product);
  putAscii(bytes, 32, 4, data.revision);
  for (const [index, standard] of data.standards.slice(0, 8).entries())
    putU16be(bytes, 58 + 2 * index, standard);
  return bytes;
}

/** Reads what is there; needs the 36 bytes that every device gives. */
export function decodeStandardInquiry(bytes: Uint8Array): StandardInquiry {
  if (bytes.length < 36)
    throw new DecodeError("INQUIRY data", bytes.length, "standard data has at least 36 bytes");
  const standards: number[] = [];
  const end = Math.min(bytes.length, 5 + bytes[4], 74);
  for (let at = 58; at + 2 <= end; at += 2) {
    const standard = getU16be(bytes, at);
    if (standard !== 0) standards.push(standard);
  }
  return {
    qualifier: bytes[0] >> 5,
    deviceType: bytes[0] & 0x1f,
    isRemovable: (bytes[1] & 0x80) !== 0,
    version: bytes[2],
    canQueue: (bytes[7] & 0x02) !== 0,
    canCopy: (bytes[5] & 0x08) !== 0,
    vendor: getAscii(bytes, 8, 8),
    product: getAscii(bytes, 16, 16),
    revision: getAscii(bytes, 32, 4),
    standards,
  };
}

/** The eight bytes of a LUN up to 16383: peripheral form below 256, flat form above (SAM-5 §4.7.7). */
export function putLun(into: Uint8Array, at: number, lun: number): void {
  into.fill(0, at, at + 8);
  if (lun >= 256) into[at] = 0x40 | (lun >> 8);
  into[at + 1] = lun & 0xff;
}

/** LUN 0 to 16383, or -1 for forms that lead to no unit here (second levels, well known units). */
export function getLun(bytes: Uint8Array, at: number): number {
  for (let index = at + 2; index < at + 8; index++) if (bytes[index] !== 0) return -1;
  const method = bytes[at] >> 6;
  // Peripheral form: a bus number other than 0 is another level.
  if (method === 0) return bytes[at] === 0 ? bytes[at + 1] : -1;
  return method === 1 ? ((bytes[at] & 0x3f) << 8) | bytes[at + 1] : -1;
}

export function encodeReportLuns(luns: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(8 + 8 * luns.length);
  putU32be(bytes, 0, 8 * luns.length);
  for (const [index, lun] of luns.entries()) putLun(bytes, 8 + 8 * index, lun);
  return bytes;
}

/** LUNs in forms that are not understood are left out. */
export function decodeReportLuns(bytes: Uint8Array): number[] {
  if (bytes.length < 8) throw new DecodeError("REPORT LUNS data", bytes.length, "needs 8 bytes");
  const end = Math.min(bytes.length, 8 + getU32be(bytes, 0));
  const luns: number[] = [];
  for (let at = 8; at + 8 <= end; at += 8) {
    const lun = getLun(bytes, at);
    if (lun >= 0) luns.push(lun);
  }
  return luns;
}

/** READ CAPACITY(10): eight bytes; disks of 2^32 blocks and more say FFFFFFFFh, "ask with (16)". */
export function encodeReadCapacity10(blockCount: number, blockBytes: number): Uint8Array {
  const bytes = new Uint8Array(8);
  putU32be(bytes, 0, Math.min(blockCount - 1, 0xffffffff));
  putU32be(bytes, 4, blockBytes);
  return bytes;
}

/** `blockCount` null: the disk is too large for this form. */
export function decodeReadCapacity10(bytes: Uint8Array): { blockCount: number | null; blockBytes: number } {
  if (bytes.length < 8) throw new DecodeError("READ CAPACITY(10) data", bytes.length, "needs 8 bytes");
  const last = getU32be(bytes, 0);
  return { blockCount: last === 0xffffffff ? null : last + 1, blockBytes: getU32be(bytes, 4) };
}

export interface Capacity16 {
  readonly blockCount: number;
  readonly blockBytes: number;
  /** 2^n logical blocks in a physical one. */
  readonly physicalExponent: number;
  /** First logical block at the start of a physical one. */
  readonly lowestAligned: number;
  /** LBPME: unmapped blocks exist. */
  readonly isThin: boolean;
  /** LBPRZ: they read as zeros. */
  readonly readsZeros: boolean;
}

export function encodeReadCapacity16(data: Capacity16): Uint8Array {
  const bytes = new Uint8Array(32);
  putU64be(bytes, 0, data.blockCount - 1);
  putU32be(bytes, 8, data.blockBytes);
  bytes[13] = data.physicalExponent;
  putU16be(bytes, 14, data.lowestAligned & 0x3fff);
  if (data.isThin) bytes[14] |= 0x80;
  if (data.readsZeros) bytes[14] |= 0x40;
  return bytes;
}

export function decodeReadCapacity16(bytes: Uint8Array): Capacity16 {
  if (bytes.length < 12) throw new DecodeError("READ CAPACITY(16) data", bytes.length, "needs 12 bytes");
  const last = getU64be(bytes, 0);
  if (!Number.isSafeInteger(last + 1))
    throw new DecodeError("READ CAPACITY(16) data", 0, "2^53 blocks and more are not handled");
  const hasMore = bytes.length >= 16;
  return {
    blockCount: last + 1,
    blockBytes: getU32be(bytes, 8),
    physicalExponent: hasMore ? bytes[13] & 0x0f : 0,
    lowestAligned: hasMore ? getU16be(bytes, 14) & 0x3fff : 0,
    isThin: hasMore && (bytes[14] & 0x80) !== 0,
    readsZeros: hasMore && (bytes[14] & 0x40) !== 0,
  };
}
