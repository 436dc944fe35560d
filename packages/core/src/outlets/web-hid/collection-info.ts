// A parsed report descriptor as WebHID shows it: collections, reports, items; and which of them no page may have.
// WebHID API, Draft Community Group Report, §HIDCollectionInfo, §HIDReportInfo and §HIDReportItem Dictionary.

import type {
  HidCollection,
  HidField,
  ReportDescriptor,
  ReportKind,
} from "../../codec/hid-report/report-descriptor.ts";
import { FieldFlag } from "../../codec/hid-report/report-items.ts";
import { UsagePage } from "../../codec/hid-report/usages.ts";

/** Names of the unit systems, by the lowest nibble of Unit (HID 1.11 §6.2.2.7). */
const unitSystems = ["none", "si-linear", "si-rotation", "english-linear", "english-rotation"] as const;
export type HIDUnitSystem = (typeof unitSystems)[number] | "vendor-defined" | "reserved";

export interface HIDReportItem {
  readonly isAbsolute: boolean;
  readonly isArray: boolean;
  readonly isBufferedBytes: boolean;
  readonly isConstant: boolean;
  readonly isLinear: boolean;
  readonly isRange: boolean;
  readonly isVolatile: boolean;
  readonly hasNull: boolean;
  readonly hasPreferredState: boolean;
  readonly wrap: boolean;
  /** Page in the high half, usage in the low. Absent when `isRange`. */
  readonly usages?: readonly number[];
  /** Only when `isRange`. */
  readonly usageMinimum?: number;
  /** Only when `isRange`. */
  readonly usageMaximum?: number;
  /** Bits. */
  readonly reportSize: number;
  readonly reportCount: number;
  readonly unitExponent: number;
  readonly unitSystem: HIDUnitSystem;
  readonly unitFactorLengthExponent: number;
  readonly unitFactorMassExponent: number;
  readonly unitFactorTimeExponent: number;
  readonly unitFactorTemperatureExponent: number;
  readonly unitFactorCurrentExponent: number;
  readonly unitFactorLuminousIntensityExponent: number;
  readonly logicalMinimum: number;
  readonly logicalMaximum: number;
  readonly physicalMinimum: number;
  readonly physicalMaximum: number;
  readonly strings: readonly string[];
}

export interface HIDReportInfo {
  readonly reportId: number;
  readonly items: readonly HIDReportItem[];
}

export interface HIDCollectionInfo {
  readonly usagePage: number;
  readonly usage: number;
  /** HID 1.11 §6.2.2.6: 0 physical, 1 application, ... */
  readonly type: number;
  readonly children: readonly HIDCollectionInfo[];
  readonly inputReports: readonly HIDReportInfo[];
  readonly outputReports: readonly HIDReportInfo[];
  readonly featureReports: readonly HIDReportInfo[];
}

/** Most usages that an item lists one by one: hostile ranges have 65,536. */
const listedUsagesMaximum = 256;

/** Page and usage of keyboards, pointers and the like: their input would be a key logger's (§Security, "protected"). */
export function isProtectedUsage(extended: number): boolean {
  const [page, id] = [Math.floor(extended / 65_536), extended % 65_536];
  if (page === UsagePage.keyboard || page === 0xf1d0) return true;
  if (page !== UsagePage.genericDesktop) return false;
  // Pointer, mouse, keyboard, keypad; system controls (HID Usage Tables 1.4 §4).
  return [1, 2, 6, 7].includes(id) || (id >= 0x80 && id <= 0xb7);
}

/** The outermost collections that a page may see. */
export function openCollections({ collections }: ReportDescriptor): HidCollection[] {
  return collections.filter(({ usage }) => !isProtectedUsage(usage));
}

export function collectionInfo(collection: HidCollection): HIDCollectionInfo {
  const { usage, type, collections } = collection;
  return {
    usagePage: Math.floor(usage / 65_536),
    usage: usage % 65_536,
    type,
    children: collections.map(collectionInfo),
    inputReports: reports(collection, "input"),
    outputReports: reports(collection, "output"),
    featureReports: reports(collection, "feature"),
  };
}

/** Report ids of one kind in a collection and those within it. */
export function reportIds(
  collection: HidCollection,
  kind: ReportKind,
  into = new Set<number>(),
): Set<number> {
  for (const field of collection.fields) if (field.kind === kind) into.add(field.reportId);
  for (const inner of collection.collections) reportIds(inner, kind, into);
  return into;
}

function reports({ fields }: HidCollection, kind: ReportKind): HIDReportInfo[] {
  const items = new Map<number, HIDReportItem[]>();
  for (const field of fields) {
    if (field.kind !== kind) continue;
    const list = items.get(field.reportId);
    if (list === undefined) items.set(field.reportId, [itemOf(field)]);
    else list.push(itemOf(field));
  }
  return [...items].map(([reportId, list]) => ({ reportId, items: list }));
}

function itemOf(field: HidField): HIDReportItem {
  const { flags, unit, usages } = field;
  const has = (flag: number) => (flags & flag) !== 0;
  const isRange = usages.some(({ minimum, maximum }) => minimum !== maximum);
  return {
    isAbsolute: !has(FieldFlag.relative),
    isArray: !has(FieldFlag.variable),
    isBufferedBytes: has(FieldFlag.bufferedBytes),
    isConstant: has(FieldFlag.constant),
    isLinear: !has(FieldFlag.nonLinear),
    isRange,
    isVolatile: has(FieldFlag.volatile),
    hasNull: has(FieldFlag.nullState),
    hasPreferredState: !has(FieldFlag.noPreferred),
    wrap: has(FieldFlag.wrap),
    ...(isRange
      ? { usageMinimum: usages[0].minimum, usageMaximum: usages[usages.length - 1].maximum }
      : { usages: usages.slice(0, listedUsagesMaximum).map(({ minimum }) => minimum) }),
    reportSize: field.reportSize,
    reportCount: field.reportCount,
    unitExponent: field.unitExponent,
    unitSystem: unitSystem(unit & 0x0f),
    unitFactorLengthExponent: nibble(unit, 1),
    unitFactorMassExponent: nibble(unit, 2),
    unitFactorTimeExponent: nibble(unit, 3),
    unitFactorTemperatureExponent: nibble(unit, 4),
    unitFactorCurrentExponent: nibble(unit, 5),
    unitFactorLuminousIntensityExponent: nibble(unit, 6),
    logicalMinimum: field.logicalMinimum,
    logicalMaximum: field.logicalMaximum,
    physicalMinimum: field.physicalMinimum,
    physicalMaximum: field.physicalMaximum,
    strings: [],
  };
}

function unitSystem(code: number): HIDUnitSystem {
  return unitSystems[code] ?? (code === 0x0f ? "vendor-defined" : "reserved");
}

/** Two's complement of four bits (HID 1.11 §6.2.2.7). */
function nibble(unit: number, place: number): number {
  const value = (unit >>> (place * 4)) & 0x0f;
  return value > 7 ? value - 16 : value;
}
