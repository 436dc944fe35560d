// A case's side as the lab shows it: it has run, its rows are read. Brings the casebook along.

import { findCase } from "@drydock/cases/casebook";
import type { DriverCase } from "@drydock/cases/driver-case";
import { digestOfRun } from "@drydock/cases/run-digest";
import type { DescribeRequest } from "@drydock/core/codec/usb/setup";
import { TimelineKind } from "@drydock/core/ports/recorder";
import type { HostTurn } from "@drydock/core/runtime/scheduler";
import { Timeline } from "@drydock/core/trace/timeline";
import type { EndedRun } from "./lab-run.ts";
import type { Opening } from "./messages.ts";

export class ShownCase implements EndedRun {
  readonly opening: Opening;
  readonly entry: DriverCase;
  readonly timeline: Timeline;
  readonly result: { readonly succeeded: boolean; readonly text: string };
  readonly digest: string;

  private constructor(
    opening: Opening,
    entry: DriverCase,
    timeline: Timeline,
    run: Awaited<ReturnType<DriverCase["run"]>>,
  ) {
    this.opening = opening;
    this.entry = entry;
    this.timeline = timeline;
    this.result = { succeeded: run.succeeded, text: run.result };
    this.digest = digestOfRun(entry, run);
  }

  /** Throws RangeError for a case that does not exist, and what the case throws. */
  static async play(opening: Opening, turn: HostTurn): Promise<ShownCase> {
    const entry = findCase(opening.what);
    const run = await entry.run(opening.side, { seed: opening.seed, turn });
    let timeline = run.timeline ?? run.trace?.timeline ?? null;
    if (timeline === null) {
      timeline = new Timeline();
      for (const row of run.log)
        timeline.add(TimelineKind.log, row.timeNs, 0, `${row.process}: ${row.message}`);
    }
    return new ShownCase(opening, entry, timeline, run);
  }

  get title(): string {
    return `${this.entry.id} ${this.entry.title}, ${this.opening.side} driver`;
  }

  get describeRequests(): readonly DescribeRequest[] {
    return this.entry.describeRequests;
  }
}
