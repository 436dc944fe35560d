// Mass storage in a trace: names of CBW, CSW, units and data; every SCSI command and whose turn it was.

import { StorageWire, type WireCommand, whoNeverAsked } from "../dissect/storage-wire.ts";
import { UsbStatus } from "../ports/usb-host.ts";
import { TraceKind, type TraceRow, type UsbTraceLog } from "./usb-trace-log.ts";

function resultOf(status: number): "ok" | "stall" | "cancelled" | "gone" | "error" {
  switch (status) {
    case UsbStatus.ok:
      return "ok";
    case UsbStatus.stall:
      return "stall";
    case UsbStatus.cancelled:
      return "cancelled";
    default:
      return status === UsbStatus.gone ? "gone" : "error";
  }
}

function feed(wire: StorageWire, row: TraceRow): string | null {
  const { data, device, endpoint, id, length, setup, stream } = row;
  if (row.kind === TraceKind.mark) wire.marked(row.text);
  else if (row.kind === TraceKind.submit)
    return wire.submitted({ id, device, endpoint, setup, data, requested: length, stream, cause: row.text });
  else if (row.kind === TraceKind.complete)
    return wire.completed({ id, device, endpoint, result: resultOf(row.status), moved: length, data });
  return null;
}

/** By the number of the transfer: what it carries, and where a command ended without its data, why. */
export function storageNames(rows: readonly TraceRow[]): Map<number, string> {
  const names = new Map<number, string>();
  const parts: string[] = [];
  const wire = new StorageWire((command) => {
    const verdict = whoNeverAsked(command);
    if (verdict !== null) parts.push(`[${verdict.sentence}]`);
  });
  for (const row of rows) {
    parts.length = 0;
    const name = feed(wire, row);
    if (name !== null) parts.unshift(name);
    const before = names.get(row.id);
    if (before !== undefined) parts.unshift(before);
    if (parts.length > 0 && row.kind !== TraceKind.mark) names.set(row.id, parts.join(" "));
  }
  return names;
}

/** Every SCSI command of a trace in the order in which they ended. */
export function storageCommands(log: UsbTraceLog): WireCommand[] {
  const commands: WireCommand[] = [];
  const wire = new StorageWire((command) => commands.push(command));
  for (const row of log.all()) feed(wire, row);
  wire.finish();
  return commands;
}
