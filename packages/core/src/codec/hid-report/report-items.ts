// Items of a HID report descriptor: one byte of prefix, then 0 to 4 bytes of data, or a long item.
// Device Class Definition for Human Interface Devices (HID), version 1.11, §6.2.2.

import { DecodeError } from "../../base/errors.ts";

/** bType, bits 3..2 of the prefix (§6.2.2.2). */
export const ItemType = { main: 0, global: 1, local: 2, reserved: 3 } as const;

/** Tags of main items (§6.2.2.4). */
export const MainTag = { input: 8, output: 9, collection: 10, feature: 11, endCollection: 12 } as const;

/** Tags of global items (§6.2.2.7). */
export const GlobalTag = {
  usagePage: 0,
  logicalMinimum: 1,
  logicalMaximum: 2,
  physicalMinimum: 3,
  physicalMaximum: 4,
  unitExponent: 5,
  unit: 6,
  reportSize: 7,
  reportId: 8,
  reportCount: 9,
  push: 10,
  pop: 11,
} as const;

/** Tags of local items (§6.2.2.8). */
export const LocalTag = {
  usage: 0,
  usageMinimum: 1,
  usageMaximum: 2,
  designatorIndex: 3,
  designatorMinimum: 4,
  designatorMaximum: 5,
  stringIndex: 7,
  stringMinimum: 8,
  stringMaximum: 9,
  delimiter: 10,
} as const;

/** Bits of Input, Output and Feature items (§6.2.2.5). */
export const FieldFlag = {
  constant: 0x001,
  variable: 0x002,
  relative: 0x004,
  wrap: 0x008,
  nonLinear: 0x010,
  noPreferred: 0x020,
  nullState: 0x040,
  volatile: 0x080,
  bufferedBytes: 0x100,
} as const;

/** Kinds of collections (§6.2.2.6); 0x80 to 0xff are the vendor's. */
export const CollectionType = {
  physical: 0,
  application: 1,
  logical: 2,
  report: 3,
  namedArray: 4,
  usageSwitch: 5,
  usageModifier: 6,
} as const;

/** The prefix of a long item (§6.2.2.3). */
export const longItemPrefix = 0xfe;

export interface ReportItem {
  /** Of the prefix, from the start of the descriptor. */
  readonly offset: number;
  readonly type: number;
  readonly tag: number;
  /** Bytes of data: 0, 1, 2 or 4; up to 255 in a long item. */
  readonly size: number;
  /** The data as an unsigned number; 0 without data and for long items. */
  readonly unsigned: number;
  /** The same with the sign of its highest bit. */
  readonly signed: number;
  readonly isLong: boolean;
}

const subject = "HID report descriptor";

/** The item that begins at `offset`. Throws DecodeError when it runs over the end. */
export function readItem(bytes: Uint8Array, offset: number): ReportItem {
  const prefix = bytes[offset];
  if (prefix === longItemPrefix) return readLongItem(bytes, offset);
  const size = (prefix & 3) === 3 ? 4 : prefix & 3;
  if (offset + 1 + size > bytes.length) {
    throw new DecodeError(
      subject,
      offset,
      `an item of ${size} bytes has only ${bytes.length - offset - 1} left`,
    );
  }
  let unsigned = 0;
  for (let index = size; index > 0; index--) unsigned = unsigned * 256 + bytes[offset + index];
  const half = 2 ** (size * 8 - 1);
  const signed = size > 0 && unsigned >= half ? unsigned - half * 2 : unsigned;
  return { offset, type: (prefix >> 2) & 3, tag: prefix >> 4, size, unsigned, signed, isLong: false };
}

/** How many bytes the whole item takes. */
export function itemBytes(item: ReportItem): number {
  return item.isLong ? item.size + 3 : item.size + 1;
}

function readLongItem(bytes: Uint8Array, offset: number): ReportItem {
  if (offset + 3 > bytes.length)
    throw new DecodeError(subject, offset, "a long item's header runs over the end");
  const size = bytes[offset + 1];
  if (offset + 3 + size > bytes.length) {
    throw new DecodeError(
      subject,
      offset,
      `a long item of ${size} bytes has only ${bytes.length - offset - 3} left`,
    );
  }
  const tag = bytes[offset + 2];
  return { offset, type: ItemType.reserved, tag, size, unsigned: 0, signed: 0, isLong: true };
}
