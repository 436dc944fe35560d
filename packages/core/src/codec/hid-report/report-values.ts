// Values in and out of HID reports. HID 1.11 §5.8, §6.2.2.5 and §8.

import { DecodeError } from "../../base/errors.ts";
import { type HidField, type HidReport, usageAt } from "./report-descriptor.ts";
import { FieldFlag } from "./report-items.ts";

/** Values wider than this are taken byte by byte: nothing here needs them as numbers. */
const valueBitsMaximum = 32;

/** `bitSize` (1 to 32) bits from `bitOffset`, least significant first, unsigned. Throws DecodeError past the end. */
export function extractBits(bytes: Uint8Array, bitOffset: number, bitSize: number): number {
  if (bitOffset + bitSize > bytes.length * 8) {
    throw new DecodeError(
      "HID report",
      bytes.length,
      `bits ${bitOffset} to ${bitOffset + bitSize - 1} are past its end`,
    );
  }
  let value = 0;
  let scale = 1;
  let at = bitOffset;
  for (let left = bitSize; left > 0; ) {
    const shift = at & 7;
    const count = Math.min(8 - shift, left);
    value += ((bytes[at >> 3] >> shift) & ((1 << count) - 1)) * scale;
    scale *= 2 ** count;
    at += count;
    left -= count;
  }
  return value;
}

/** Writes the low `bitSize` (1 to 32) bits of `value`, which may be negative. Throws DecodeError past the end. */
export function insertBits(bytes: Uint8Array, bitOffset: number, bitSize: number, value: number): void {
  if (bitOffset + bitSize > bytes.length * 8) {
    throw new DecodeError(
      "HID report",
      bytes.length,
      `bits ${bitOffset} to ${bitOffset + bitSize - 1} are past its end`,
    );
  }
  let rest = value < 0 ? value + 2 ** 32 : value;
  let at = bitOffset;
  for (let left = bitSize; left > 0; ) {
    const shift = at & 7;
    const count = Math.min(8 - shift, left);
    const mask = (1 << count) - 1;
    const part = rest % (mask + 1);
    bytes[at >> 3] = (bytes[at >> 3] & ~(mask << shift)) | (part << shift);
    rest = (rest - part) / (mask + 1);
    at += count;
    left -= count;
  }
}

/** Does the report have all bits of value `index`? Devices may send less than they describe. */
export function holdsValue(length: number, field: HidField, index: number): boolean {
  return field.bitOffset + (index + 1) * field.reportSize <= length * 8;
}

/**
 * Value `index` of the field as the logical number it is: signed when Logical Minimum is negative. Fields wider than
 * 32 bits answer their low 32. Throws DecodeError when the report is too short.
 */
export function readValue(bytes: Uint8Array, field: HidField, index: number): number {
  const size = Math.min(field.reportSize, valueBitsMaximum);
  const raw = extractBits(bytes, field.bitOffset + index * field.reportSize, size);
  const half = 2 ** (size - 1);
  return field.logicalMinimum < 0 && raw >= half ? raw - 2 * half : raw;
}

/** The inverse; bits that do not fit are cut. */
export function writeValue(bytes: Uint8Array, field: HidField, index: number, value: number): void {
  const size = Math.min(field.reportSize, valueBitsMaximum);
  insertBits(bytes, field.bitOffset + index * field.reportSize, size, value);
}

/** A value outside the logical range says "nothing to report" (§5.10). */
export function isNullValue(field: HidField, value: number): boolean {
  return value < field.logicalMinimum || value > field.logicalMaximum;
}

/** A number outside the logical range that fits the field, null when the field has no null state. */
export function nullValue(field: HidField): number | null {
  if ((field.flags & FieldFlag.nullState) === 0) return null;
  const size = Math.min(field.reportSize, valueBitsMaximum);
  const isSigned = field.logicalMinimum < 0;
  const most = isSigned ? 2 ** (size - 1) - 1 : 2 ** size - 1;
  const least = isSigned ? -(2 ** (size - 1)) : 0;
  if (most > field.logicalMaximum) return most;
  return least < field.logicalMinimum ? least : null;
}

/** Usages that an array field says are on, in the order of the report; null entries and usage id 0 are left out. */
export function readArrayUsages(bytes: Uint8Array, field: HidField): number[] {
  const usages: number[] = [];
  for (let index = 0; index < field.reportCount && holdsValue(bytes.length, field, index); index++) {
    const value = readValue(bytes, field, index);
    if (isNullValue(field, value)) continue;
    const usage = usageAt(field, value - field.logicalMinimum);
    if ((usage & 0xffff) !== 0) usages.push(usage);
  }
  return usages;
}

/** A report of zeros with its id in front. */
export function newReport(report: HidReport): Uint8Array {
  const bytes = new Uint8Array(report.byteLength);
  if (report.id !== 0) bytes[0] = report.id;
  return bytes;
}

/** A logical value in the field's unit (§6.2.2.7), without the unit's name. */
export function physicalValue(field: HidField, value: number): number {
  const { logicalMaximum, logicalMinimum, physicalMaximum, physicalMinimum } = field;
  if (logicalMaximum === logicalMinimum) return physicalMinimum * 10 ** field.unitExponent;
  const part = (value - logicalMinimum) / (logicalMaximum - logicalMinimum);
  return (physicalMinimum + part * (physicalMaximum - physicalMinimum)) * 10 ** field.unitExponent;
}
