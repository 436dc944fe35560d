// A row of the timeline as the cells of a table, and as fields with the bytes they stand in.

import { hex } from "@drydock/core/base/text";
import {
  CdcRequest,
  decodeLineCoding,
  type LineCoding,
  lineCodingBytes,
  lineCodingProblem,
} from "@drydock/core/codec/cdc/cdc";
import { type DescribeRequest, decodeSetup, describeSetup, RequestType } from "@drydock/core/codec/usb/setup";
import { describeMassStorageRequest } from "@drydock/core/dissect/storage-wire";
import { TimelineKind } from "@drydock/core/ports/recorder";
import { UsbStatus } from "@drydock/core/ports/usb-host";
import type { Timeline, TimelineRow } from "@drydock/core/trace/timeline";
import { usbStatusNames } from "@drydock/core/trace/usb-text";
import { TraceKind, TraceTransfer, traceRow } from "@drydock/core/trace/usb-trace-log";
import type { ByteField, RowCells, RowLevel } from "./messages.ts";

const kindNames: Readonly<Record<TimelineKind, string>> = {
  [TimelineKind.usb]: "usb",
  [TimelineKind.mark]: "mark",
  [TimelineKind.fault]: "fault",
  [TimelineKind.call]: "call",
  [TimelineKind.log]: "log",
  [TimelineKind.event]: "event",
  [TimelineKind.hop]: "queue",
  [TimelineKind.wait]: "wait",
  [TimelineKind.power]: "power",
  [TimelineKind.register]: "register",
  [TimelineKind.dma]: "dma",
  [TimelineKind.interrupt]: "interrupt",
  [TimelineKind.ethernet]: "frame",
};

/** Rows in which two runs are compared: what crosses a port, not which queue came first. */
export const wireKinds: ReadonlySet<TimelineKind> = new Set([
  TimelineKind.usb,
  TimelineKind.mark,
  TimelineKind.register,
  TimelineKind.dma,
  TimelineKind.interrupt,
  TimelineKind.ethernet,
]);

/** How many of them there have been. */
export function wireRows(timeline: Timeline): number {
  let count = 0;
  for (const kind of wireKinds) count += timeline.kept(kind) + timeline.lost(kind);
  return count;
}

const noBytes = new Uint8Array(0);

export interface CellsOptions {
  readonly describeRequests: readonly DescribeRequest[];
}

export function cellsOf(
  timeline: Timeline,
  row: TimelineRow,
  previousNs: number,
  options: CellsOptions,
): RowCells {
  const view = new RowView(timeline, options);
  view.set(row, previousNs);
  const { deltaNs, isBad, kind, length, place, sequence, status, timeNs, what, who } = view;
  return { sequence, timeNs, deltaNs, kind, who, what, place, length, status, isBad };
}

/** "1.81" for a device and an endpoint, as they lie in a row: few of them stand in many rows. */
const places = new Map<number, string>();

function placeOf(deviceAndEndpoint: number): string {
  let text = places.get(deviceAndEndpoint);
  if (text === undefined) {
    text = `${deviceAndEndpoint >>> 8}.${hex(deviceAndEndpoint & 0xff, 2)}`;
    places.set(deviceAndEndpoint, text);
  }
  return text;
}

/**
 * The cells of one row after the other, each made when it is asked for: a filter over a million rows asks for one or two of
 * them.
 */
export class RowView implements RowCells {
  readonly #timeline: Timeline;
  readonly #options: CellsOptions;
  #row: TimelineRow = {
    sequence: 0,
    kind: TimelineKind.mark,
    timeNs: 0,
    cause: 0,
    text: "",
    fields: [],
    bytes: noBytes,
  };
  #previousNs = 0;

  constructor(timeline: Timeline, options: CellsOptions) {
    this.#timeline = timeline;
    this.#options = options;
  }

  set(row: TimelineRow, previousNs: number): void {
    this.#row = row;
    this.#previousNs = previousNs;
  }

  get sequence(): number {
    return this.#row.sequence;
  }

  get timeNs(): number {
    return this.#row.timeNs;
  }

  get deltaNs(): number {
    return this.#row.timeNs - this.#previousNs;
  }

  get kind(): string {
    const { kind } = this.#row;
    return kindNames[kind] ?? `kind ${kind}`;
  }

  /** What a row of the wire is; null for every other kind. */
  get #wire(): TraceKind | null {
    const { fields, kind } = this.#row;
    return kind === TimelineKind.usb ? ((fields[0] % 16) as TraceKind) : null;
  }

  get who(): string {
    switch (this.#wire) {
      case null:
        return whoLedTo(this.#timeline, this.#row);
      case TraceKind.attach:
      case TraceKind.detach:
        return "";
      case TraceKind.complete:
        return this.#timeline.textOf(this.#row.cause);
      default:
        return this.#row.text;
    }
  }

  get what(): string {
    const row = this.#row;
    switch (this.#wire) {
      case null:
        return this.#timeline.wordsOf(row);
      case TraceKind.attach:
        return "attached";
      case TraceKind.detach:
        return "detached";
      case TraceKind.complete:
        return `answer to ${row.cause}`;
      default: {
        const { endpoint, setup, transfer } = traceRow(row, 0);
        if (setup !== null)
          return describeSetup(decodeSetup(setup), [
            ...this.#options.describeRequests,
            describeMassStorageRequest,
          ]);
        const kind = transfer === TraceTransfer.interrupt ? "interrupt" : "bulk";
        return `${kind} ${(endpoint & 0x80) === 0 ? "out" : "in"}`;
      }
    }
  }

  get place(): string {
    const [, , place] = this.#row.fields;
    switch (this.#wire) {
      case null:
        return "";
      case TraceKind.attach:
      case TraceKind.detach:
        return String(Math.floor(place / 0x1000000));
      default:
        return placeOf(Math.floor(place / 0x10000));
    }
  }

  get length(): number | null {
    const { bytes, fields } = this.#row;
    switch (this.#wire) {
      case null:
        return bytes.length === 0 ? null : bytes.length;
      case TraceKind.attach:
      case TraceKind.detach:
        return null;
      default:
        return fields[3];
    }
  }

  /** Of an answer; null for every other row. */
  get #status(): number | null {
    return this.#wire === TraceKind.complete ? this.#row.fields[2] & 0xff : null;
  }

  get status(): string {
    const status = this.#status;
    return status === null ? "" : (usbStatusNames[status as UsbStatus] ?? `status ${status}`);
  }

  /** Belongs to a level below the one that is shown: an answer, and among calls a transfer that nobody is known to have asked for. */
  isBelow(level: RowLevel): boolean {
    const wire = this.#wire;
    if (wire === null || wire === TraceKind.attach || wire === TraceKind.detach) return false;
    return wire === TraceKind.complete || (level === "calls" && this.#row.text === "");
  }

  /** Equal for rows that fold into one. */
  get foldKey(): string {
    const { kind, text } = this.#row;
    if (this.#wire === null) return `${kind} ${text === "" ? this.what.replace(/\d[\da-fx]*/g, "#") : text}`;
    const what = this.#wire === TraceKind.complete ? this.status : this.what;
    return `${kind} ${this.place} ${what} ${text}`;
  }

  get isBad(): boolean {
    const status = this.#status;
    if (status !== null) return status !== UsbStatus.ok && status !== UsbStatus.cancelled;
    const wire = this.#wire;
    if (wire !== null) return wire === TraceKind.detach;
    return this.#row.kind === TimelineKind.fault || /\b(?:panic|crash|killed)\b/i.test(this.#row.text);
  }
}

/** The nearest row above this one that is a call: who did it. */
function whoLedTo(timeline: Timeline, row: TimelineRow): string {
  let at: TimelineRow | null = row.cause === 0 ? null : timeline.row(row.cause);
  for (let depth = 0; at !== null && depth < 8; depth++) {
    if (at.kind === TimelineKind.call || (at.kind === TimelineKind.usb && at.text !== "")) return at.text;
    at = at.cause === 0 ? null : timeline.row(at.cause);
  }
  return "";
}

const whole = (bytes: Uint8Array, from: number, count: number): number => {
  let value = 0;
  for (let index = count - 1; index >= 0; index--) value = value * 256 + bytes[from + index];
  return value;
};

/** Fields of a row's bytes, in the order in which they lie there. */
export function fieldsOf(timeline: Timeline, row: TimelineRow): ByteField[] {
  if (row.kind !== TimelineKind.usb || row.bytes.length === 0) return [];
  const { bytes } = row;
  const usb = traceRow(row, 0);
  const field = (name: string, from: number, count: number, value?: string): ByteField => ({
    name,
    from,
    to: from + count,
    value: value ?? `0x${hex(whole(bytes, from, count), count * 2)}`,
  });
  if (usb.setup === null) {
    const submission = usb.kind === TraceKind.complete ? timeline.row(usb.causeSequence) : null;
    const asked = submission === null ? null : traceRow(submission, 0).setup;
    return [field(asked === null ? "data" : "answer", 0, bytes.length, `${bytes.length} bytes`)];
  }
  const setup = decodeSetup(usb.setup);
  const fields = [
    field("bmRequestType", 0, 1),
    field("bRequest", 1, 1),
    field("wValue", 2, 2),
    field("wIndex", 4, 2),
    field("wLength", 6, 2, String(setup.wLength)),
  ];
  const isLineCoding =
    (setup.bmRequestType & RequestType.mask) === RequestType.class &&
    setup.bRequest === CdcRequest.setLineCoding &&
    usb.data.length === lineCodingBytes;
  if (isLineCoding) {
    const coding = decodeLineCoding(usb.data);
    const wrong = lineCodingProblem(coding);
    /** The first field that cannot be says so. */
    const judged = (name: keyof LineCoding, from: number, count: number, value: string): ByteField => {
      const found = field(name, from, count, value);
      const isIt =
        wrong !== null && (wrong.startsWith(name) || (name === "dwDTERate" && wrong.includes("rate")));
      return isIt ? { ...found, problem: wrong } : found;
    };
    // PSTN 1.2 table 17.
    fields.push(
      judged("dwDTERate", 8, 4, `${coding.dwDTERate} bits/s`),
      judged("bCharFormat", 12, 1, String(coding.bCharFormat)),
      judged("bParityType", 13, 1, String(coding.bParityType)),
      judged("bDataBits", 14, 1, String(coding.bDataBits)),
    );
  } else if (usb.data.length > 0) fields.push(field("data", 8, usb.data.length, `${usb.data.length} bytes`));
  return fields;
}
