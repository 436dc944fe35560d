// A short description of reports -> the bytes of a report descriptor. HID 1.11 §6.2.2.

import type { ReportKind } from "./report-descriptor.ts";
import { CollectionType, FieldFlag, GlobalTag, ItemType, LocalTag, MainTag } from "./report-items.ts";
import { idOf, pageOf } from "./usages.ts";

/** One Input, Output or Feature item. */
export interface FieldPlan {
  readonly kind: ReportKind;
  /** 1 to 255; leave it out everywhere when the device has one report per kind. */
  readonly reportId?: number;
  /** Bits per value, and how many values. */
  readonly size: number;
  readonly count: number;
  /** 32-bit usages, one or more; all of one page. Nothing for padding. */
  readonly usages?: readonly number[];
  /** Or a range of them, both included. */
  readonly usageRange?: readonly [minimum: number, maximum: number];
  /** Logical minimum and maximum. Default 0 and 1; nothing is written for padding. */
  readonly logical?: readonly [minimum: number, maximum: number];
  readonly physical?: readonly [minimum: number, maximum: number];
  readonly unit?: number;
  /** -8 to 7. */
  readonly unitExponent?: number;
  readonly flags?: readonly (keyof typeof FieldFlag)[];
}

export interface CollectionPlan {
  readonly collection: keyof typeof CollectionType;
  readonly usage: number;
  readonly items: readonly (FieldPlan | CollectionPlan)[];
}

/** Compiles a description. Global state is written when it changes. Throws RangeError for what cannot be encoded. */
export function compileReportDescriptor(plans: readonly CollectionPlan[]): Uint8Array {
  const compiler = new Compiler();
  for (const plan of plans) compiler.collection(plan);
  return Uint8Array.from(compiler.bytes);
}

class Compiler {
  readonly bytes: number[] = [];
  /** Global tag -> what is in force. */
  readonly #globals = new Map<number, number>();

  collection(plan: CollectionPlan): void {
    this.#global(GlobalTag.usagePage, pageOf(plan.usage), false);
    this.#item(ItemType.local, LocalTag.usage, idOf(plan.usage), false);
    this.#item(ItemType.main, MainTag.collection, CollectionType[plan.collection], false);
    for (const item of plan.items) {
      if ("collection" in item) this.collection(item);
      else this.#field(item);
    }
    // End Collection has no data (§6.2.2.4).
    this.bytes.push((MainTag.endCollection << 4) | (ItemType.main << 2));
  }

  #field(plan: FieldPlan): void {
    const flags = (plan.flags ?? []).reduce((bits, name) => bits | FieldFlag[name], 0);
    const isPadding = plan.usages === undefined && plan.usageRange === undefined;
    if (plan.reportId !== undefined) this.#global(GlobalTag.reportId, plan.reportId, false);
    if (!isPadding) {
      this.#usages(plan);
      this.#ranges(plan);
    }
    this.#global(GlobalTag.reportSize, plan.size, false);
    this.#global(GlobalTag.reportCount, plan.count, false);
    const tag =
      plan.kind === "input" ? MainTag.input : plan.kind === "output" ? MainTag.output : MainTag.feature;
    this.#item(ItemType.main, tag, isPadding ? flags | FieldFlag.constant : flags, false);
  }

  #usages(plan: FieldPlan): void {
    const all = plan.usageRange ?? plan.usages ?? [];
    const page = pageOf(all[0] ?? 0);
    if (all.length === 0 || all.some((one) => pageOf(one) !== page))
      throw new RangeError("the usages of a field must be of one page");
    this.#global(GlobalTag.usagePage, page, false);
    if (plan.usageRange !== undefined) {
      const [minimum, maximum] = plan.usageRange;
      if (minimum > maximum) throw new RangeError("a usage range is empty");
      this.#item(ItemType.local, LocalTag.usageMinimum, idOf(minimum), false);
      this.#item(ItemType.local, LocalTag.usageMaximum, idOf(maximum), false);
    } else for (const one of all) this.#item(ItemType.local, LocalTag.usage, idOf(one), false);
  }

  #ranges(plan: FieldPlan): void {
    const [minimum, maximum] = plan.logical ?? [0, 1];
    if (minimum > maximum) throw new RangeError(`logical range ${minimum} to ${maximum} is empty`);
    this.#global(GlobalTag.logicalMinimum, minimum, true);
    this.#global(GlobalTag.logicalMaximum, maximum, true);
    // 0 and 0 mean "as the logical ones" (§6.2.2.7).
    const [least, most] = plan.physical ?? [0, 0];
    this.#global(GlobalTag.physicalMinimum, least, true);
    this.#global(GlobalTag.physicalMaximum, most, true);
    const exponent = plan.unitExponent ?? 0;
    if (exponent < -8 || exponent > 7) throw new RangeError(`unit exponent ${exponent} is not -8 to 7`);
    this.#global(GlobalTag.unitExponent, exponent & 0xf, false);
    this.#global(GlobalTag.unit, plan.unit ?? 0, false);
  }

  /** Physical range and unit are 0 at the start; everything else is unset. */
  #global(tag: number, value: number, isSigned: boolean): void {
    const isZeroAtStart =
      tag === GlobalTag.physicalMinimum ||
      tag === GlobalTag.physicalMaximum ||
      tag === GlobalTag.unit ||
      tag === GlobalTag.unitExponent;
    if (this.#globals.get(tag) === value || (!this.#globals.has(tag) && isZeroAtStart && value === 0)) return;
    this.#globals.set(tag, value);
    this.#item(ItemType.global, tag, value, isSigned);
  }

  /** The shortest data that holds the value. */
  #item(type: number, tag: number, value: number, isSigned: boolean): void {
    const least = isSigned ? -(2 ** 31) : 0;
    const most = isSigned ? 2 ** 31 - 1 : 2 ** 32 - 1;
    if (!Number.isInteger(value) || value < least || value > most)
      throw new RangeError(`${value} does not fit an item`);
    const fits = (bytes: number) =>
      isSigned ? value >= -(2 ** (bytes * 8 - 1)) && value < 2 ** (bytes * 8 - 1) : value < 2 ** (bytes * 8);
    const size = fits(1) ? 1 : fits(2) ? 2 : 4;
    this.bytes.push((tag << 4) | (type << 2) | (size === 4 ? 3 : size));
    for (let index = 0; index < size; index++) this.bytes.push((value >> (index * 8)) & 0xff);
  }
}
