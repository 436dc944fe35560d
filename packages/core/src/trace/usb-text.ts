// A trace as lines that a person reads: SETUP, data, result and the driver call that caused it, in one line.

import { shown } from "../base/shown-text.ts";
import { hex, hexBytes } from "../base/text.ts";
import { type DescribeRequest, decodeSetup, describeSetup } from "../codec/usb/setup.ts";
import { describeMassStorageRequest } from "../dissect/storage-wire.ts";
import { UsbStatus } from "../ports/usb-host.ts";
import { storageNames } from "./storage-trace.ts";
import { TraceKind, type TraceRow, TraceTransfer, type UsbTraceLog, unknownLength } from "./usb-trace-log.ts";

export const usbStatusNames: Readonly<Record<number, string>> = {
  [UsbStatus.ok]: "ok",
  [UsbStatus.stall]: "STALL",
  [UsbStatus.cancelled]: "cancelled",
  [UsbStatus.gone]: "device gone",
  [UsbStatus.overflow]: "overflow",
  [UsbStatus.protocolError]: "protocol error",
};

const transferNames = ["isochronous", "interrupt", "control", "bulk"] as const;

/** Marks and calls of a foreign capture are packet comments: anybody's words. */
const longestMark = 1000;

export interface TextOptions {
  readonly describeRequests?: readonly DescribeRequest[];
  /** Data bytes shown per line. Default 16. */
  readonly dataBytes?: number;
  /** Leave idle status packets and cancelled reads out. Default false. */
  readonly controlOnly?: boolean;
}

/** One transfer, or one mark, with everything about it. */
export interface TraceLine {
  readonly timeNs: number;
  /** Everything but the time: equal texts mean equal behaviour on the wire. */
  readonly wire: string;
  /** The driver call, empty when unknown. */
  readonly cause: string;
  readonly isMark: boolean;
}

/** Pairs submissions with completions. A transfer that never completed says so. */
export function traceLines(log: UsbTraceLog, options: TextOptions = {}): TraceLine[] {
  const completions = new Map<number, TraceRow>();
  const rows = [...log.all()];
  for (const row of rows) if (row.kind === TraceKind.complete) completions.set(row.id, row);
  const names = storageNames(rows);
  const lines: TraceLine[] = [];
  for (const row of rows) {
    if (row.kind === TraceKind.mark) {
      lines.push({ timeNs: row.timeNs, wire: `-- ${shown(row.text, longestMark)}`, cause: "", isMark: true });
    } else if (row.kind === TraceKind.submit) {
      if (options.controlOnly === true && row.transfer !== TraceTransfer.control) continue;
      const wire = transferText(row, completions.get(row.id) ?? null, names.get(row.id) ?? "", options);
      lines.push({ timeNs: row.timeNs, wire, cause: shown(row.text, longestMark), isMark: false });
    }
  }
  return lines;
}

function transferText(
  submit: TraceRow,
  complete: TraceRow | null,
  name: string,
  options: TextOptions,
): string {
  const most = options.dataBytes ?? 16;
  const data = submit.data.length > 0 ? submit.data : (complete?.data ?? submit.data);
  const seen = data.length === 0 ? "" : `  data ${hexBytes(data, most)}`;
  const result =
    complete === null ? "never answered" : (usbStatusNames[complete.status] ?? `status ${complete.status}`);
  const moved = complete === null ? 0 : complete.length;
  const end = `-> ${result}, ${moved} ${moved === 1 ? "byte" : "bytes"}`;
  if (submit.setup !== null) {
    const others = [...(options.describeRequests ?? []), describeMassStorageRequest];
    const name = describeSetup(decodeSetup(submit.setup), others);
    return `ep0    ${hexBytes(submit.setup)}  ${name}${seen}  ${end}`;
  }
  const kind = transferNames[submit.transfer] ?? `type ${submit.transfer}`;
  const direction = (submit.endpoint & 0x80) !== 0 ? "in" : "out";
  const asked = submit.length === unknownLength ? "" : ` ${submit.length}`;
  const named = name === "" ? "" : `  ${name}`;
  return `ep${hex(submit.endpoint, 2)}   ${kind} ${direction}${asked}${named}${seen}  ${end}`;
}

/** "   1.250000 ms  ep0 21 20 ...  <- IOUSBHostInterface.deviceRequest (P02Driver)" */
export function formatTraceLine(line: TraceLine): string {
  const time = `${(line.timeNs / 1e6).toFixed(6)} ms`.padStart(18);
  return `${time}  ${line.wire}${line.cause === "" ? "" : `   <- ${line.cause}`}`;
}

export function formatTrace(log: UsbTraceLog, options: TextOptions = {}): string {
  const lines = traceLines(log, options).map((line) => `${formatTraceLine(line)}\n`);
  const lost = log.dropped > 0 ? `${log.dropped} earlier rows were given up\n` : "";
  return lost + lines.join("");
}

/** posts.md F10: one sentence for a transfer that moved no data, null for one that did. */
export function whyNoData(submit: TraceRow, complete: TraceRow | null): string | null {
  const place = `endpoint 0x${hex(submit.endpoint, 2)}`;
  if (complete === null) return `The host asked ${place} and the device never answered.`;
  if (complete.length > 0) return null;
  switch (complete.status) {
    case UsbStatus.stall:
      return submit.transfer === TraceTransfer.control
        ? "The device refused this request (STALL on endpoint 0): look at the request, not at the pipe."
        : `The device halted ${place} (STALL).`;
    case UsbStatus.cancelled: {
      const waited = ((complete.timeNs - submit.timeNs) / 1e6).toFixed(3);
      return `The host asked ${place}, the device said "not yet" (NAK) for ${waited} ms, and the host cancelled.`;
    }
    case UsbStatus.gone:
      return `The device left the bus before ${place} answered.`;
    case UsbStatus.ok:
      return submit.length === 0
        ? "No data was asked for."
        : `The device answered ${place} with a zero-length packet.`;
    default:
      return `The transfer on ${place} failed: ${usbStatusNames[complete.status]}.`;
  }
}
