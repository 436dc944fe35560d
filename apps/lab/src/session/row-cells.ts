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
import { describePciRow } from "@drydock/core/trace/pci-trace";
import type { Timeline, TimelineRow } from "@drydock/core/trace/timeline";
import { usbStatusNames } from "@drydock/core/trace/usb-text";
import { TraceKind, TraceTransfer, traceRow } from "@drydock/core/trace/usb-trace-log";
import type { ByteField, RowCells } from "./messages.ts";

const kindNames: Readonly<Record<TimelineKind, string>> = {
  [TimelineKind.usb]: "usb",
  [TimelineKind.mark]: "mark",
  [TimelineKind.fault]: "fault",
  [TimelineKind.call]: "call",
  [TimelineKind.log]: "log",
  [TimelineKind.event]: "event",
  [TimelineKind.hop]: "queue",
  [TimelineKind.power]: "power",
  [TimelineKind.register]: "register",
  [TimelineKind.dma]: "dma",
  [TimelineKind.interrupt]: "interrupt",
};

/** Rows in which two runs are compared: what crosses a port, not which queue came first. */
export const wireKinds: ReadonlySet<TimelineKind> = new Set([
  TimelineKind.usb,
  TimelineKind.mark,
  TimelineKind.register,
  TimelineKind.dma,
  TimelineKind.interrupt,
]);

export interface CellsOptions {
  readonly describeRequests: readonly DescribeRequest[];
}

export function cellsOf(
  timeline: Timeline,
  row: TimelineRow,
  previousNs: number,
  options: CellsOptions,
): RowCells {
  const common = {
    sequence: row.sequence,
    timeNs: row.timeNs,
    deltaNs: row.timeNs - previousNs,
    kind: kindNames[row.kind] ?? `kind ${row.kind}`,
  };
  if (row.kind === TimelineKind.usb) return { ...common, ...usbCells(timeline, row, options) };
  const isPci = row.kind === TimelineKind.register || row.kind === TimelineKind.dma;
  const what = isPci || row.kind === TimelineKind.interrupt ? describePciRow(row) : row.text;
  return {
    ...common,
    who: whoLedTo(timeline, row),
    what,
    place: "",
    length: row.bytes.length === 0 ? null : row.bytes.length,
    status: "",
    isBad: row.kind === TimelineKind.fault || /\b(?:panic|crash|killed)\b/i.test(row.text),
  };
}

function usbCells(timeline: Timeline, row: TimelineRow, { describeRequests }: CellsOptions) {
  const usb = traceRow(row, 0);
  const place = `${usb.device}.${hex(usb.endpoint, 2)}`;
  if (usb.kind === TraceKind.attach || usb.kind === TraceKind.detach)
    return {
      who: "",
      what: usb.kind === TraceKind.attach ? "attached" : "detached",
      place: String(usb.device),
      length: null,
      status: "",
      isBad: usb.kind === TraceKind.detach,
    };
  if (usb.kind === TraceKind.complete) {
    const status = usbStatusNames[usb.status] ?? `status ${usb.status}`;
    const submission = timeline.row(usb.causeSequence);
    return {
      who: submission?.text ?? "",
      what: `answer to ${usb.causeSequence}`,
      place,
      length: usb.length,
      status,
      isBad: usb.status !== UsbStatus.ok && usb.status !== UsbStatus.cancelled,
    };
  }
  const kind = usb.transfer === TraceTransfer.interrupt ? "interrupt" : "bulk";
  const what =
    usb.setup === null
      ? `${kind} ${(usb.endpoint & 0x80) === 0 ? "out" : "in"}`
      : describeSetup(decodeSetup(usb.setup), [...describeRequests, describeMassStorageRequest]);
  return { who: usb.text, what, place, length: usb.length, status: "", isBad: false };
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
