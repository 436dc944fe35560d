// Faults of a HID report descriptor: what cannot be read, and what means something else than was thought.
// HID 1.11 §5.8, §6.2.2, §8.4.

import { DecodeError } from "@drydock/core/base/errors";
import { parseReportDescriptor } from "@drydock/core/codec/hid-report/report-descriptor";
import {
  CollectionType,
  FieldFlag,
  GlobalTag,
  ItemType,
  itemBytes,
  LocalTag,
  MainTag,
  type ReportItem,
  readItem,
} from "@drydock/core/codec/hid-report/report-items";
import { type DescriptorFault, type FaultKind, hex8 } from "./fault.ts";

const mainNames: Readonly<Record<number, string>> = {
  [MainTag.input]: "Input",
  [MainTag.output]: "Output",
  [MainTag.feature]: "Feature",
};

/** Never throws. */
export function judgeReport(bytes: Uint8Array): DescriptorFault[] {
  const faults: DescriptorFault[] = [];
  const fault = (kind: FaultKind, offset: number, text: string): void =>
    void faults.push({ kind, offset, text });
  try {
    parseReportDescriptor(bytes);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    fault("report-broken", error.offset, error.message.replace(/^HID report descriptor[^:]*: /, ""));
  }
  new Walk(bytes, fault).run();
  // The reader stops at its first fault; a second word about the same item says nothing more.
  const broken = faults.find(({ kind }) => kind === "report-broken");
  return faults
    .filter(({ kind, offset }) => broken === undefined || kind === "report-broken" || offset < broken.offset)
    .sort((left, right) => left.offset - right.offset);
}

class Walk {
  readonly #bytes: Uint8Array;
  readonly #fault: (kind: FaultKind, offset: number, text: string) => void;
  #minimum = 0;
  #maximum: ReportItem | null = null;
  #size = 0;
  #count = 0;
  #id = 0;
  readonly #stack: {
    minimum: number;
    maximum: ReportItem | null;
    size: number;
    count: number;
    id: number;
  }[] = [];
  #hasUsage = false;
  #depth = 0;
  #hasApplication = false;
  readonly #bits = new Map<string, { bits: number; offset: number }>();

  constructor(bytes: Uint8Array, fault: (kind: FaultKind, offset: number, text: string) => void) {
    this.#bytes = bytes;
    this.#fault = fault;
  }

  run(): void {
    try {
      for (let offset = 0; offset < this.#bytes.length; ) {
        const item = readItem(this.#bytes, offset);
        if (!item.isLong) this.#take(item);
        offset += itemBytes(item);
      }
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      // Said already.
      return;
    }
    for (const [name, { bits, offset }] of this.#bits)
      if (bits % 8 !== 0)
        this.#fault(
          "report-not-byte-aligned",
          offset,
          `the ${name} report has ${bits} bits, no whole bytes: padding is missing (HID 1.11 §8.4)`,
        );
  }

  #take(item: ReportItem): void {
    if (item.type === ItemType.global) this.#global(item);
    else if (item.type === ItemType.local) {
      if ([LocalTag.usage, LocalTag.usageMinimum, LocalTag.usageMaximum].some((tag) => tag === item.tag))
        this.#hasUsage = true;
    } else if (item.type === ItemType.main) this.#main(item);
  }

  #global(item: ReportItem): void {
    if (item.tag === GlobalTag.logicalMinimum) this.#minimum = item.signed;
    else if (item.tag === GlobalTag.logicalMaximum) this.#maximum = item;
    else if (item.tag === GlobalTag.reportSize) this.#size = item.unsigned;
    else if (item.tag === GlobalTag.reportCount) this.#count = item.unsigned;
    else if (item.tag === GlobalTag.reportId) this.#id = item.unsigned;
    else if (item.tag === GlobalTag.push)
      this.#stack.push({
        minimum: this.#minimum,
        maximum: this.#maximum,
        size: this.#size,
        count: this.#count,
        id: this.#id,
      });
    else if (item.tag === GlobalTag.pop) {
      const saved = this.#stack.pop();
      if (saved === undefined) return;
      this.#minimum = saved.minimum;
      this.#maximum = saved.maximum;
      this.#size = saved.size;
      this.#count = saved.count;
      this.#id = saved.id;
    }
  }

  #main(item: ReportItem): void {
    if (item.tag === MainTag.collection) {
      const isApplication = (item.unsigned & 0xff) === CollectionType.application;
      if (this.#depth === 0 && !isApplication && !this.#hasApplication)
        this.#fault(
          "report-no-application",
          item.offset,
          `the outermost collection is of type ${item.unsigned & 0xff}, not an application (1)`,
        );
      if (isApplication) {
        this.#hasApplication = true;
        if (!this.#hasUsage)
          this.#fault(
            "report-usage-missing",
            item.offset,
            "an application collection without a usage: nobody can tell what it is",
          );
      }
      this.#depth++;
    } else if (item.tag === MainTag.endCollection) this.#depth--;
    else if (mainNames[item.tag] !== undefined) this.#field(item, mainNames[item.tag]);
    this.#hasUsage = false;
  }

  #field(item: ReportItem, name: string): void {
    if (this.#depth === 0)
      this.#fault("report-no-application", item.offset, `an ${name} item outside any collection`);
    const key = `${name}${this.#id === 0 ? "" : ` ${this.#id}`}`;
    const known = this.#bits.get(key);
    this.#bits.set(key, { bits: (known?.bits ?? 0) + this.#size * this.#count, offset: item.offset });
    if ((item.unsigned & FieldFlag.constant) !== 0 || this.#count === 0) return;
    if (!this.#hasUsage)
      this.#fault(
        "report-usage-missing",
        item.offset,
        `an ${name} item of ${this.#count} values without a usage`,
      );
    const maximum = this.#maximum;
    if (maximum === null) return;
    if (this.#minimum >= 0 && maximum.signed < 0)
      this.#fault(
        "report-maximum-sign",
        maximum.offset,
        `Logical Maximum ${hex8(maximum.unsigned)} in ${maximum.size} byte${maximum.size === 1 ? "" : "s"} is ${maximum.signed}, below the minimum ${this.#minimum}; ${maximum.unsigned} needs ${maximum.size * 2} bytes`,
      );
    else if (this.#size > 0 && this.#size < 32 && this.#minimum >= 0 && maximum.signed >= 2 ** this.#size)
      this.#fault(
        "report-value-too-large",
        maximum.offset,
        `Logical Maximum ${maximum.signed} does not fit the Report Size of ${this.#size} bits`,
      );
  }
}
