// A case's side as the lab shows it: it has run, its rows are read.

import type { CaseRun, DmaStory, DriverCase } from "@drydock/cases/driver-case";
import { digestOfRun } from "@drydock/cases/run-digest";
import type { DescribeRequest } from "@drydock/core/codec/usb/setup";
import { formatLog } from "@drydock/core/platform/log-text";
import { TimelineKind } from "@drydock/core/ports/recorder";
import type { HostTurn } from "@drydock/core/runtime/scheduler";
import { Timeline } from "@drydock/core/trace/timeline";
import type { FlushStory } from "@drydock/core/trials/durability-prover";
import type { EndedRun } from "./lab-run.ts";
import type { Opening } from "./messages.ts";

export class ShownCase implements EndedRun {
  readonly opening: Opening;
  readonly entry: DriverCase;
  readonly timeline: Timeline;
  readonly result: { readonly succeeded: boolean; readonly text: string };
  readonly digest: string;
  readonly ledger: FlushStory | null;
  readonly unplugSteps: number;
  readonly evidence: EndedRun["evidence"];
  readonly causes: readonly string[];
  readonly dma?: DmaStory;

  private constructor(
    opening: Opening,
    entry: DriverCase,
    timeline: Timeline,
    run: CaseRun,
    unplugSteps: number,
  ) {
    this.opening = opening;
    this.entry = entry;
    this.timeline = timeline;
    this.result = { succeeded: run.succeeded, text: run.result };
    this.digest = digestOfRun(entry, run);
    this.ledger = run.ledger ?? null;
    this.unplugSteps = unplugSteps;
    this.causes = entry.causes?.names ?? [];
    if (run.dma !== undefined) this.dma = run.dma;
    // What the system logged is what a person has first.
    const log = run.log.length === 0 ? [] : [{ name: "system.log", text: formatLog(run.log, "default") }];
    this.evidence = [...log, ...(run.evidence ?? [])];
  }

  /** Throws RangeError for a step that there is none of, and what the case throws. */
  static async play(opening: Opening, turn: HostTurn, entry: DriverCase): Promise<ShownCase> {
    const { faults, seed, side, unplugAt = 0 } = opening;
    const [cause = ""] = side === "bad" ? faults : [];
    const options = { seed, turn };
    const { causes, unplug } = entry;
    if (unplugAt > 0 && unplug === undefined)
      throw new RangeError(`${entry.id} is not a case whose cable can be pulled at any step`);
    if (causes !== undefined && cause !== "" && !causes.names.includes(cause))
      throw new RangeError(
        `${entry.id} has no cause "${cause.slice(0, 40)}"; it has ${causes.names.join(", ")}`,
      );
    const unplugSteps = unplug === undefined ? 0 : await unplug.steps(side, options);
    if (unplugAt > unplugSteps)
      throw new RangeError(`${entry.id} has ${unplugSteps} steps on this seed, not ${unplugAt}`);
    const run =
      unplugAt > 0 && unplug !== undefined
        ? await unplug.run(side, options, unplugAt)
        : causes !== undefined && cause !== ""
          ? await causes.run(cause, options)
          : await entry.run(side, options);
    let timeline = run.timeline ?? run.trace?.timeline ?? null;
    if (timeline === null) {
      timeline = new Timeline();
      for (const row of run.log)
        timeline.add(TimelineKind.log, row.timeNs, 0, `${row.process}: ${row.message}`);
    }
    return new ShownCase(opening, entry, timeline, run, unplugSteps);
  }

  get title(): string {
    return `${this.entry.id} ${this.entry.title}, ${this.opening.side} driver`;
  }

  get describeRequests(): readonly DescribeRequest[] {
    return this.entry.describeRequests;
  }
}
