// IOHIDElement: one control or collection of a HID device, with its last value. driverkit-families.md §2.4, §2.5.

import {
  type HidCollection,
  type HidField,
  isArray,
  isConstant,
  type ReportDescriptor,
  usageAt,
  usageCount,
} from "../../codec/hid-report/report-descriptor.ts";
import { FieldFlag } from "../../codec/hid-report/report-items.ts";
import { holdsValue, readArrayUsages, readValue } from "../../codec/hid-report/report-values.ts";
import { idOf, Key, pageOf, UsagePage } from "../../codec/hid-report/usages.ts";

export const kIOHIDElementTypeInput_Misc = 1;
export const kIOHIDElementTypeInput_Button = 2;
export const kIOHIDElementTypeInput_Axis = 3;
export const kIOHIDElementTypeInput_ScanCodes = 4;
export const kIOHIDElementTypeOutput = 129;
export const kIOHIDElementTypeFeature = 257;
export const kIOHIDElementTypeCollection = 513;

export const kIOHIDElementCommitDirectionIn = 0;
export const kIOHIDElementCommitDirectionOut = 1;

/** getValue: the value before the last report. */
export const kIOHIDValueOptionsFlagPrevious = 2;

export const kIOHIDValueScaleTypeCalibrated = 0;
export const kIOHIDValueScaleTypePhysical = 1;

/** IOFixed: 16.16. */
export function toFixed(value: number): number {
  return Math.round(value * 65_536);
}

/** More elements than this make a device that nobody can use; hostile descriptors promise millions. */
export const elementMaximum = 4096;

/** What an element needs of the interface it belongs to. */
export interface ElementOwner {
  commitElements(elements: readonly IOHIDElement[], direction: number): Promise<void>;
}

/**
 * A control of a variable field, one usage of an array field, or a collection. Values of array usages are 1 while the
 * usage is in the report.
 */
export class IOHIDElement {
  readonly field: HidField | null;
  /** Which control of the field, or which usage of the array. */
  readonly index: number;
  readonly #owner: ElementOwner;
  readonly #cookie: number;
  readonly #usage: number;
  readonly #collection: HidCollection | null;
  readonly #parent: IOHIDElement | null;
  readonly #children: IOHIDElement[] = [];
  #value = 0;
  #previous = 0;
  #timeStamp = 0;

  constructor(
    owner: ElementOwner,
    cookie: number,
    parent: IOHIDElement | null,
    what: { readonly collection: HidCollection } | { readonly field: HidField; readonly index: number },
  ) {
    this.#owner = owner;
    this.#cookie = cookie;
    this.#parent = parent;
    if ("collection" in what) {
      this.#collection = what.collection;
      this.field = null;
      this.index = 0;
      this.#usage = what.collection.usage;
    } else {
      this.#collection = null;
      this.field = what.field;
      this.index = what.index;
      this.#usage = usageAt(what.field, what.index);
      this.#value = isArray(what.field) ? 0 : restingValue(what.field);
      this.#previous = this.#value;
    }
    parent?.addChild(this);
  }

  /** Writes the value to the device (Out) or reads it from there (In). Rejects like the interface's commitElements. */
  commit(direction: number): Promise<void> {
    return this.#owner.commitElements([this], direction);
  }

  /** Is this element, or a collection round it, of that usage? */
  conformsTo(usagePage: number, usage: number): boolean {
    if (this.getUsagePage() === usagePage && this.getUsage() === usage) return true;
    return this.#parent?.conformsTo(usagePage, usage) ?? false;
  }

  getChildElements(): readonly IOHIDElement[] {
    return this.#children;
  }

  getCollectionType(): number {
    return this.#collection?.type ?? 0;
  }

  /** Unique in its device, from 1. */
  getCookie(): number {
    return this.#cookie;
  }

  getFlags(): number {
    return this.field?.flags ?? 0;
  }

  getLogicalMax(): number {
    return this.field?.logicalMaximum ?? 0;
  }

  getLogicalMin(): number {
    return this.field?.logicalMinimum ?? 0;
  }

  getParentElement(): IOHIDElement | null {
    return this.#parent;
  }

  getPhysicalMax(): number {
    return this.field?.physicalMaximum ?? 0;
  }

  getPhysicalMin(): number {
    return this.field?.physicalMinimum ?? 0;
  }

  getReportCount(): number {
    return this.field === null ? 0 : 1;
  }

  getReportID(): number {
    return this.field?.reportId ?? 0;
  }

  getReportSize(): number {
    return this.field?.reportSize ?? 0;
  }

  /** Calibrated: 0 to 1 over the logical range, -1 to 1 when it begins below zero (likely). Physical: the unit's value. */
  getScaledFixedValue(type: number): number {
    const { field } = this;
    if (field === null || field.logicalMaximum === field.logicalMinimum) return 0;
    const part = (this.#value - field.logicalMinimum) / (field.logicalMaximum - field.logicalMinimum);
    if (type === kIOHIDValueScaleTypePhysical) {
      return toFixed(field.physicalMinimum + part * (field.physicalMaximum - field.physicalMinimum));
    }
    return toFixed(field.logicalMinimum < 0 ? part * 2 - 1 : part);
  }

  /** When the value was last reported, nanoseconds; 0 before the first report. */
  getTimeStamp(): number {
    return this.#timeStamp;
  }

  getType(): number {
    const { field } = this;
    if (field === null) return kIOHIDElementTypeCollection;
    if (field.kind === "output") return kIOHIDElementTypeOutput;
    if (field.kind === "feature") return kIOHIDElementTypeFeature;
    const page = this.getUsagePage();
    if (page === UsagePage.keyboard) return kIOHIDElementTypeInput_ScanCodes;
    if (page === UsagePage.button) return kIOHIDElementTypeInput_Button;
    return page === UsagePage.genericDesktop ? kIOHIDElementTypeInput_Axis : kIOHIDElementTypeInput_Misc;
  }

  getUnit(): number {
    return this.field?.unit ?? 0;
  }

  getUnitExponent(): number {
    return this.field?.unitExponent ?? 0;
  }

  getUsage(): number {
    return idOf(this.#usage);
  }

  getUsagePage(): number {
    return pageOf(this.#usage);
  }

  /** The logical value; with kIOHIDValueOptionsFlagPrevious the one before the last report. */
  getValue(options = 0): number {
    return (options & kIOHIDValueOptionsFlagPrevious) === 0 ? this.#value : this.#previous;
  }

  /** Kept here until `commit`. */
  setValue(value: number): void {
    this.#value = value;
  }

  /** The interface's side: a report said so. */
  report(timestamp: number, value: number): void {
    this.#previous = this.#value;
    this.#value = value;
    this.#timeStamp = timestamp;
  }

  private addChild(child: IOHIDElement): void {
    this.#children.push(child);
  }
}

/** Nothing moved: the middle of an axis round zero, nothing on a hat, 0 else. */
function restingValue(field: HidField): number {
  if ((field.flags & FieldFlag.nullState) !== 0) return field.logicalMaximum + 1;
  return Math.max(field.logicalMinimum, Math.min(0, field.logicalMaximum));
}

function controlsOf(field: HidField): number {
  if (isConstant(field)) return 0;
  if (!isArray(field)) return field.reportCount;
  return Math.min(usageCount(field.usages), field.logicalMaximum - field.logicalMinimum + 1);
}

/** How many elements a descriptor would make. Does not make them. */
export function elementsNeeded(layout: ReportDescriptor): number {
  let count = 0;
  const walk = (collections: readonly HidCollection[]): void => {
    for (const collection of collections) {
      count++;
      walk(collection.collections);
    }
  };
  walk(layout.collections);
  for (const field of layout.fields) count += controlsOf(field);
  return count;
}

/** A field with its elements, for reading reports. */
interface FieldElements {
  readonly field: HidField;
  readonly elements: readonly IOHIDElement[];
}

/** All elements of a device, and how reports reach them. */
export class ElementTree {
  readonly elements: IOHIDElement[] = [];
  readonly #byReport = new Map<number, FieldElements[]>();

  constructor(owner: ElementOwner, layout: ReportDescriptor) {
    for (const field of layout.fields) if (field.collection === null) this.#addField(owner, field, null);
    for (const collection of layout.collections) this.#addCollection(owner, collection, null);
  }

  /** Sets what an input report says. Fields that the report is too short for keep their values. */
  apply(timestamp: number, report: Uint8Array, reportId: number): void {
    for (const entry of this.#byReport.get(reportId) ?? []) {
      if (isArray(entry.field)) applyArray(timestamp, report, entry);
      else {
        for (let index = 0; index < entry.elements.length; index++) {
          if (!holdsValue(report.length, entry.field, index)) break;
          entry.elements[index].report(timestamp, readValue(report, entry.field, index));
        }
      }
    }
  }

  #addCollection(owner: ElementOwner, collection: HidCollection, parent: IOHIDElement | null): void {
    const element = new IOHIDElement(owner, this.elements.length + 1, parent, { collection });
    this.elements.push(element);
    for (const field of collection.fields) this.#addField(owner, field, element);
    for (const inner of collection.collections) this.#addCollection(owner, inner, element);
  }

  #addField(owner: ElementOwner, field: HidField, parent: IOHIDElement | null): void {
    const elements: IOHIDElement[] = [];
    for (let index = 0; index < controlsOf(field); index++) {
      elements.push(new IOHIDElement(owner, this.elements.length + 1, parent, { field, index }));
      this.elements.push(elements[index]);
    }
    if (field.kind !== "input" || elements.length === 0) return;
    const list = this.#byReport.get(field.reportId) ?? [];
    list.push({ field, elements });
    this.#byReport.set(field.reportId, list);
  }
}

/** A keyboard that says ErrorRollOver says nothing about its keys: they stay (HID 1.11 appendix C). */
function applyArray(timestamp: number, report: Uint8Array, { field, elements }: FieldElements): void {
  const active = readArrayUsages(report, field);
  const isError = (usage: number) =>
    pageOf(usage) === UsagePage.keyboard &&
    idOf(usage) >= Key.errorRollOver &&
    idOf(usage) <= Key.errorUndefined;
  if (active.some(isError)) return;
  for (const element of elements) {
    const usage = usageAt(field, element.index);
    element.report(timestamp, active.includes(usage) ? 1 : 0);
  }
}
