// Calls of applications into their drivers, as lines beside those of the wire: for faults that lie above it.

import { TimelineKind } from "../ports/recorder.ts";
import type { Timeline } from "./timeline.ts";
import type { TraceLine } from "./usb-text.ts";

/** One line for each call into a user client, in order of their ends. */
export function callLines(timeline: Timeline): TraceLine[] {
  return [...timeline.rows(undefined, [TimelineKind.call])].map(({ text, timeNs }) => ({
    timeNs,
    wire: text,
    cause: "",
    isMark: false,
  }));
}
