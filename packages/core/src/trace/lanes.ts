// The lanes of a timeline: which queue, endpoint, cable or part of the kernel a row belongs to.

import { hex } from "../base/text.ts";
import { TimelineKind, waitWords } from "../ports/recorder.ts";
import type { TimelineRow } from "./timeline.ts";
import { TraceKind, traceRow } from "./usb-trace-log.ts";

/** Groups of lanes, each with its number. */
export const laneGroups: Readonly<Record<TimelineKind, readonly [number, string]>> = {
  [TimelineKind.usb]: [1, "USB"],
  [TimelineKind.mark]: [1, "USB"],
  [TimelineKind.fault]: [1, "USB"],
  [TimelineKind.hop]: [2, "Queues"],
  [TimelineKind.wait]: [2, "Queues"],
  [TimelineKind.call]: [2, "Queues"],
  [TimelineKind.log]: [3, "Log"],
  [TimelineKind.event]: [4, "Kernel"],
  [TimelineKind.power]: [5, "Power"],
  [TimelineKind.register]: [6, "PCI"],
  [TimelineKind.dma]: [6, "PCI"],
  [TimelineKind.interrupt]: [6, "PCI"],
  [TimelineKind.ethernet]: [7, "Network"],
};

/** The name of a row's lane inside its group. */
export function laneName(row: TimelineRow): string {
  switch (row.kind) {
    case TimelineKind.usb: {
      const { device, endpoint, kind } = traceRow(row, 0);
      return kind > TraceKind.mark ? "bus" : `device ${device} endpoint ${hex(endpoint, 2)}`;
    }
    case TimelineKind.fault:
      return "faults";
    case TimelineKind.mark:
      return "bus";
    case TimelineKind.hop:
      return row.text.slice(0, Math.max(0, row.text.lastIndexOf(": ")));
    case TimelineKind.wait:
      return row.text.split(waitWords.begin)[0].replace(waitWords.end, "");
    case TimelineKind.call:
      return "calls";
    case TimelineKind.log:
      return "log";
    case TimelineKind.event:
      return row.text.split(":")[0];
    case TimelineKind.ethernet:
      return row.text;
    case TimelineKind.register:
      return "registers";
    case TimelineKind.dma:
      return "DMA";
    case TimelineKind.interrupt:
      return "interrupts";
    default:
      return laneGroups[row.kind][1];
  }
}
