// What both runs of a case left, as captures and timelines.

import type { CaseRun, DriverCase } from "@drydock/cases/driver-case";
import type { MarkedOutputs } from "../grammar/output-paths.ts";
import type { CommandIo } from "../terminal/command-io.ts";
import { writeRecordings } from "./recording-files.ts";

/** What both runs left, into the files that were asked for. */
export function writeBoth(
  entry: DriverCase,
  runs: { readonly bad: CaseRun; readonly good: CaseRun },
  options: { readonly pcap?: MarkedOutputs; readonly perfetto?: MarkedOutputs },
  io: CommandIo,
): void {
  for (const [side, run] of Object.entries(runs)) {
    const timeline = run.timeline ?? run.trace?.timeline;
    if (side === "bad" && options.pcap !== undefined && run.trace === null)
      io.say(`drydock: ${entry.id} has no USB traffic to write`);
    if (side === "bad" && options.perfetto !== undefined && timeline === undefined)
      io.say(`drydock: ${entry.id} keeps no timeline to write`);
    writeRecordings(
      { timeline, trace: run.trace },
      { pcap: options.pcap?.files[side], perfetto: options.perfetto?.files[side] },
      io,
    );
  }
}
