// HID report descriptors parsed: collections, fields and the layout of each report.
// Device Class Definition for Human Interface Devices (HID), version 1.11, §5.4 to §5.10 and §6.2.2.

import { DecodeError } from "../../base/errors.ts";
import {
  FieldFlag,
  GlobalTag,
  ItemType,
  itemBytes,
  LocalTag,
  MainTag,
  type ReportItem,
  readItem,
} from "./report-items.ts";

export type ReportKind = "input" | "output" | "feature";
export const reportKinds: readonly ReportKind[] = ["input", "output", "feature"];

/** Usages `minimum` to `maximum`, both included, as 32-bit numbers: page in the high half, usage in the low. */
export interface UsageRange {
  readonly minimum: number;
  readonly maximum: number;
}

export interface HidCollection {
  /** See CollectionType. */
  readonly type: number;
  /** 32 bits, 0 when it has none. */
  readonly usage: number;
  readonly parent: HidCollection | null;
  readonly collections: HidCollection[];
  readonly fields: HidField[];
}

/** One Input, Output or Feature item: `reportCount` values of `reportSize` bits each. */
export interface HidField {
  readonly kind: ReportKind;
  /** 0 when the device uses no report ids. */
  readonly reportId: number;
  /** From the first bit of the report as it is sent, the id byte included. */
  readonly bitOffset: number;
  readonly reportSize: number;
  readonly reportCount: number;
  /** See FieldFlag. */
  readonly flags: number;
  readonly usages: readonly UsageRange[];
  readonly logicalMinimum: number;
  readonly logicalMaximum: number;
  /** Both as the descriptor says; equal to the logical ones where it says nothing (§6.2.2.7). */
  readonly physicalMinimum: number;
  readonly physicalMaximum: number;
  /** Power of ten, -8 to 7. */
  readonly unitExponent: number;
  /** Nibbles of system and dimensions (§6.2.2.7), 0 for none. */
  readonly unit: number;
  readonly collection: HidCollection | null;
}

/** All fields of one kind with one id. */
export interface HidReport {
  readonly kind: ReportKind;
  readonly id: number;
  /** The id byte included. */
  readonly bitLength: number;
  readonly byteLength: number;
  readonly fields: readonly HidField[];
}

export interface ReportDescriptor {
  /** Reports begin with a byte that says which one it is. */
  readonly usesReportIds: boolean;
  readonly reports: readonly HidReport[];
  /** The outermost ones, in order. */
  readonly collections: readonly HidCollection[];
  /** In the order of the descriptor. */
  readonly fields: readonly HidField[];
}

/** The largest report that is accepted, bytes. USB's own limit is 65535 (wLength); nobody makes such reports. */
export const reportBytesMaximum = 16_384;
/** How deep Push and collections may nest. The specification knows no limit; hostile bytes do not either. */
const nestingMaximum = 64;

const subject = "HID report descriptor";

interface Globals {
  usagePage: number;
  logicalMinimum: number;
  /** Which of the two the maximum is follows from the sign of the minimum, at the main item. */
  logicalMaximum: { signed: number; unsigned: number };
  physicalMinimum: number;
  physicalMaximum: { signed: number; unsigned: number };
  unitExponent: number;
  unit: number;
  reportSize: number;
  reportCount: number;
  reportId: number;
}

/** A usage as it was declared: with 32 bits it brings its page, else the page of the main item counts. */
interface DeclaredUsage {
  value: number;
  hasPage: boolean;
}

/** A range whose end has not come yet has `maximum` null. */
interface DeclaredRange {
  minimum: DeclaredUsage;
  maximum: DeclaredUsage;
}

/**
 * Parses a whole descriptor. Strict about what would make reports ambiguous: items over the end, unbalanced
 * collections, Push/Pop and delimiters, report id 0, fields before the first report id, sizes of 0 or beyond the
 * limits. Unknown tags and long items are skipped, as §6.2.2.3 asks. Time and memory are bounded by the length of
 * `bytes`, never by the counts in it. Throws DecodeError with the offset of the item.
 */
export function parseReportDescriptor(bytes: Uint8Array): ReportDescriptor {
  return new Parser(bytes).parse();
}

class Parser {
  readonly #bytes: Uint8Array;
  #globals: Globals = {
    usagePage: 0,
    logicalMinimum: 0,
    logicalMaximum: { signed: 0, unsigned: 0 },
    physicalMinimum: 0,
    physicalMaximum: { signed: 0, unsigned: 0 },
    unitExponent: 0,
    unit: 0,
    reportSize: 0,
    reportCount: 0,
    reportId: 0,
  };
  readonly #stack: Globals[] = [];
  #usages: DeclaredRange[] = [];
  #minimum: DeclaredUsage | null = null;
  #maximum: DeclaredUsage | null = null;
  /** Inside a Delimiter set; `#alternatives` counts its usages: only the first, the preferred one, is kept. */
  #isInSet = false;
  #alternatives = 0;
  #depth = 0;
  #collection: HidCollection | null = null;
  readonly #collections: HidCollection[] = [];
  readonly #fields: HidField[] = [];
  readonly #reports = new Map<string, { kind: ReportKind; id: number; bits: number; fields: HidField[] }>();
  #usesReportIds = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  parse(): ReportDescriptor {
    const bytes = this.#bytes;
    for (let offset = 0; offset < bytes.length; ) {
      const item = readItem(bytes, offset);
      if (!item.isLong) this.#take(item);
      offset += itemBytes(item);
    }
    if (this.#depth > 0)
      throw new DecodeError(subject, bytes.length, `${this.#depth} collections are still open at the end`);
    if (this.#isInSet) throw new DecodeError(subject, bytes.length, "a delimiter is still open at the end");
    const reports = [...this.#reports.values()].map(({ kind, id, bits, fields }) => {
      return { kind, id, bitLength: bits, byteLength: Math.ceil(bits / 8), fields };
    });
    return {
      usesReportIds: this.#usesReportIds,
      reports,
      collections: this.#collections,
      fields: this.#fields,
    };
  }

  #take(item: ReportItem): void {
    if (item.type === ItemType.global) this.#takeGlobal(item);
    else if (item.type === ItemType.local) this.#takeLocal(item);
    else if (item.type === ItemType.main) {
      this.#takeMain(item);
      this.#usages = [];
      this.#minimum = null;
      this.#maximum = null;
    }
  }

  #takeGlobal(item: ReportItem): void {
    const globals = this.#globals;
    const both = { signed: item.signed, unsigned: item.unsigned };
    switch (item.tag) {
      case GlobalTag.usagePage:
        if (item.unsigned > 0xffff) throw fail(item, `usage page ${item.unsigned} does not fit 16 bits`);
        globals.usagePage = item.unsigned;
        break;
      case GlobalTag.logicalMinimum:
        globals.logicalMinimum = item.signed;
        break;
      case GlobalTag.logicalMaximum:
        globals.logicalMaximum = both;
        break;
      case GlobalTag.physicalMinimum:
        globals.physicalMinimum = item.signed;
        break;
      case GlobalTag.physicalMaximum:
        globals.physicalMaximum = both;
        break;
      case GlobalTag.unitExponent:
        // A nibble (§6.2.2.7: 0x8 to 0xf are -8 to -1); a signed byte is what many devices have instead.
        globals.unitExponent =
          item.unsigned > 0xf ? item.signed : item.unsigned > 7 ? item.unsigned - 16 : item.unsigned;
        break;
      case GlobalTag.unit:
        globals.unit = item.unsigned;
        break;
      case GlobalTag.reportSize:
        globals.reportSize = item.unsigned;
        break;
      case GlobalTag.reportId:
        if (item.unsigned === 0 || item.unsigned > 255)
          throw fail(item, `report id ${item.unsigned} is not 1 to 255`);
        if (!this.#usesReportIds && this.#fields.length > 0)
          throw fail(item, "a report id after fields without one");
        this.#usesReportIds = true;
        globals.reportId = item.unsigned;
        break;
      case GlobalTag.reportCount:
        globals.reportCount = item.unsigned;
        break;
      case GlobalTag.push:
        if (this.#stack.length >= nestingMaximum)
          throw fail(item, `Push is nested deeper than ${nestingMaximum}`);
        this.#stack.push({ ...globals });
        break;
      case GlobalTag.pop: {
        const saved = this.#stack.pop();
        if (saved === undefined) throw fail(item, "Pop without Push");
        this.#globals = saved;
        break;
      }
    }
  }

  #takeLocal(item: ReportItem): void {
    const usage: DeclaredUsage = { value: item.unsigned, hasPage: item.size === 4 };
    switch (item.tag) {
      case LocalTag.usage:
        if (this.#isInSet && this.#alternatives++ > 0) return;
        this.#usages.push({ minimum: usage, maximum: usage });
        break;
      case LocalTag.usageMinimum:
        this.#minimum = usage;
        this.#closeRange(item);
        break;
      case LocalTag.usageMaximum:
        this.#maximum = usage;
        this.#closeRange(item);
        break;
      case LocalTag.delimiter:
        if (item.unsigned > 1) throw fail(item, `delimiter ${item.unsigned} is neither open nor close`);
        if ((item.unsigned === 1) === this.#isInSet)
          throw fail(item, this.#isInSet ? "a delimiter inside a delimiter" : "a delimiter closes nothing");
        this.#isInSet = item.unsigned === 1;
        this.#alternatives = 0;
        break;
    }
  }

  /** Minimum and maximum may come in either order. */
  #closeRange(item: ReportItem): void {
    const [minimum, maximum] = [this.#minimum, this.#maximum];
    if (minimum === null || maximum === null) return;
    this.#minimum = null;
    this.#maximum = null;
    const hasBothPages = minimum.hasPage && maximum.hasPage;
    if (hasBothPages && minimum.value >>> 16 !== maximum.value >>> 16)
      throw fail(item, "a usage range over two pages");
    if ((minimum.value & 0xffff) > (maximum.value & 0xffff))
      throw fail(item, `usage range ${minimum.value} to ${maximum.value} is empty`);
    if (this.#isInSet && this.#alternatives++ > 0) return;
    this.#usages.push({ minimum, maximum });
  }

  #takeMain(item: ReportItem): void {
    if (this.#isInSet) throw fail(item, "a main item inside a delimiter");
    if (this.#minimum !== null || this.#maximum !== null)
      throw fail(item, "a usage range with only one end before this item");
    switch (item.tag) {
      case MainTag.input:
        this.#addField(item, "input");
        break;
      case MainTag.output:
        this.#addField(item, "output");
        break;
      case MainTag.feature:
        this.#addField(item, "feature");
        break;
      case MainTag.collection:
        this.#openCollection(item);
        break;
      case MainTag.endCollection:
        if (this.#collection === null) throw fail(item, "End Collection without Collection");
        this.#collection = this.#collection.parent;
        this.#depth--;
        break;
    }
  }

  #openCollection(item: ReportItem): void {
    if (this.#depth >= nestingMaximum)
      throw fail(item, `collections are nested deeper than ${nestingMaximum}`);
    const [usage] = this.#resolveUsages();
    const collection: HidCollection = {
      type: item.unsigned & 0xff,
      usage: usage?.minimum ?? 0,
      parent: this.#collection,
      collections: [],
      fields: [],
    };
    (this.#collection?.collections ?? this.#collections).push(collection);
    this.#collection = collection;
    this.#depth++;
  }

  #addField(item: ReportItem, kind: ReportKind): void {
    const globals = this.#globals;
    const { reportCount, reportId, reportSize } = globals;
    // Report Count 0 describes nothing; some devices have it.
    if (reportCount === 0) return;
    if (reportSize === 0) throw fail(item, "Report Size is 0");
    const key = `${kind} ${reportId}`;
    let report = this.#reports.get(key);
    if (report === undefined) {
      report = { kind, id: reportId, bits: this.#usesReportIds ? 8 : 0, fields: [] };
      this.#reports.set(key, report);
    }
    const bits = reportSize * reportCount;
    if (report.bits + bits > reportBytesMaximum * 8)
      throw fail(item, `a ${kind} report would have more than ${reportBytesMaximum} bytes`);
    const logicalMaximum = maximumOf(globals.logicalMinimum, globals.logicalMaximum);
    const physicalMaximum = maximumOf(globals.physicalMinimum, globals.physicalMaximum);
    const isConstant = (item.unsigned & FieldFlag.constant) !== 0;
    if (!isConstant && globals.logicalMinimum > logicalMaximum) {
      throw fail(item, `Logical Minimum ${globals.logicalMinimum} is above the maximum ${logicalMaximum}`);
    }
    const hasPhysical = globals.physicalMinimum !== 0 || physicalMaximum !== 0;
    const field: HidField = {
      kind,
      reportId,
      bitOffset: report.bits,
      reportSize,
      reportCount,
      flags: item.unsigned,
      usages: this.#resolveUsages(),
      logicalMinimum: globals.logicalMinimum,
      logicalMaximum,
      physicalMinimum: hasPhysical ? globals.physicalMinimum : globals.logicalMinimum,
      physicalMaximum: hasPhysical ? physicalMaximum : logicalMaximum,
      unitExponent: globals.unitExponent,
      unit: globals.unit,
      collection: this.#collection,
    };
    report.bits += bits;
    report.fields.push(field);
    this.#fields.push(field);
    this.#collection?.fields.push(field);
  }

  /** The page in force at the main item counts for usages that brought none (§6.2.2.8). */
  #resolveUsages(): UsageRange[] {
    const page = this.#globals.usagePage * 65_536;
    return this.#usages.map(({ minimum, maximum }) => {
      const own = minimum.hasPage ? minimum : maximum.hasPage ? maximum : null;
      const base = own === null ? page : own.value - (own.value & 0xffff);
      return { minimum: base + (minimum.value & 0xffff), maximum: base + (maximum.value & 0xffff) };
    });
  }
}

/** §5.8: with a minimum below zero both ends are signed; else a "negative" maximum is a large one. */
function maximumOf(minimum: number, maximum: { signed: number; unsigned: number }): number {
  return minimum < 0 ? maximum.signed : maximum.unsigned;
}

function fail(item: ReportItem, problem: string): DecodeError {
  return new DecodeError(subject, item.offset, problem);
}

/** Is the field padding? */
export function isConstant(field: HidField): boolean {
  return (field.flags & FieldFlag.constant) !== 0;
}

/** Its values are numbers of usages, not values of usages (§6.2.2.5). */
export function isArray(field: HidField): boolean {
  return (field.flags & (FieldFlag.constant | FieldFlag.variable)) === 0;
}

/** How many usages the ranges name. */
export function usageCount(usages: readonly UsageRange[]): number {
  let count = 0;
  for (const { minimum, maximum } of usages) count += maximum - minimum + 1;
  return count;
}

/**
 * The usage of control `index` of a variable field; the last usage serves for all that follow it (§6.2.2.8). For an
 * array, the usage that the value `logicalMinimum + index` means, 0 when there is none. 0 for a field without usages.
 */
export function usageAt(field: HidField, index: number): number {
  let left = index;
  for (const { minimum, maximum } of field.usages) {
    const count = maximum - minimum + 1;
    if (left < count) return minimum + left;
    left -= count;
  }
  return isArray(field) ? 0 : (field.usages.at(-1)?.maximum ?? 0);
}

/** The report of a kind and id, null when the device has none. */
export function findReport(descriptor: ReportDescriptor, kind: ReportKind, id: number): HidReport | null {
  return descriptor.reports.find((report) => report.kind === kind && report.id === id) ?? null;
}

/** The largest report of a kind, bytes with the id; 0 when there is none. */
export function maximumReportBytes(descriptor: ReportDescriptor, kind: ReportKind): number {
  let most = 0;
  for (const report of descriptor.reports) if (report.kind === kind) most = Math.max(most, report.byteLength);
  return most;
}
