// A run of a case as steps and as a digest: equal digests, equal runs, here, in a page and in CI.

import { TraceHash } from "@drydock/core/base/hash";
import { formatLogRow } from "@drydock/core/platform/log-text";
import { traceLines } from "@drydock/core/trace/usb-text";
import type { CaseRun, DriverCase } from "./driver-case.ts";

/** One step of a run: a transfer on the wire, or a line of the log where a case has no wire. */
export interface CaseStep {
  readonly timeNs: number;
  readonly text: string;
  /** The driver call that led to it; empty when unknown. */
  readonly cause: string;
}

export function stepsOf(entry: DriverCase, run: CaseRun): CaseStep[] {
  if (run.trace !== null)
    return traceLines(run.trace, { describeRequests: entry.describeRequests }).map(
      ({ timeNs, wire, cause }) => ({
        timeNs,
        text: wire,
        cause,
      }),
    );
  return run.log.map((row) => ({
    timeNs: row.timeNs,
    text: `${row.process}: ${row.sender === "" ? "" : `(${row.sender}) `}${row.message}`,
    cause: "",
  }));
}

/** Sixteen hexadecimal digits over everything that a run showed; the same here, in a page and in CI. */
export function digestOfRun(entry: DriverCase, run: CaseRun): string {
  const hash = new TraceHash();
  hash.text(run.result);
  hash.number(run.succeeded ? 1 : 0);
  for (const step of stepsOf(entry, run)) {
    hash.number(step.timeNs);
    hash.text(step.text);
  }
  for (const row of run.log) hash.text(formatLogRow(row));
  return hash.digest();
}
