// A case run on both sides and told: verdicts, both traces, where they part, what the doctor says. Runs anywhere.

import { formatLog, formatLogRow } from "@drydock/core/platform/log-text";
import type { HostTurn } from "@drydock/core/runtime/scheduler";
import { firstDifference } from "@drydock/core/trace/trace-diff";
import { writeUsbPcapng } from "@drydock/core/trace/usb-pcapng";
import { diagnose } from "@drydock/doctor/diagnose";
import { type EvidenceSource, sourceOfBytes, sourceOfText } from "@drydock/doctor/facts/evidence-source";
import type { CaseRun, DriverCase, Side } from "./driver-case.ts";
import { type CaseStep, digestOfRun, stepsOf } from "./run-digest.ts";

export interface SideReport {
  readonly succeeded: boolean;
  readonly result: string;
  readonly steps: readonly CaseStep[];
  readonly log: readonly string[];
  /** Text files that the run left, cut to their beginnings. */
  readonly evidence: readonly { readonly name: string; readonly text: string }[];
  /** Of result, wire and log: equal digests, equal runs. */
  readonly digest: string;
}

export interface DoctorWord {
  readonly rule: string;
  readonly title: string;
  readonly claim: string;
  readonly fix: readonly string[];
}

export interface CaseReport {
  readonly id: string;
  readonly title: string;
  readonly symptom: string;
  readonly cause: string;
  readonly seed: number;
  /** The bad side failed and the good side succeeded: the case shows what it says. */
  readonly isSound: boolean;
  readonly bad: SideReport;
  readonly good: SideReport;
  /** Index of the first step in which the sides differ; null when none does. */
  readonly firstDifference: number | null;
  /** What the doctor makes of the bad side's evidence, surest first; empty: it knows nothing. */
  readonly doctor: readonly DoctorWord[];
}

/** Rows of a log that a report shows; a digest is over all of them. */
const loggedRows = 200;
const evidenceCharacters = 4000;

/** What a person would have at hand after such a run, under names that say nothing. */
export function evidenceOfRun(run: CaseRun, nextName: () => string): EvidenceSource[] {
  return [
    sourceOfText(nextName(), formatLog(run.log, "default")),
    ...(run.trace === null ? [] : [sourceOfBytes(nextName(), writeUsbPcapng(run.trace))]),
    ...(run.evidence ?? []).map((file) =>
      "bytes" in file ? sourceOfBytes(nextName(), file.bytes) : sourceOfText(nextName(), file.text),
    ),
  ];
}

function sideOf(entry: DriverCase, run: CaseRun): SideReport {
  return {
    succeeded: run.succeeded,
    result: run.result,
    steps: stepsOf(entry, run),
    log: run.log.slice(0, loggedRows).map((row) => formatLogRow(row, "compact")),
    evidence: (run.evidence ?? []).flatMap((file) =>
      "bytes" in file ? [] : [{ name: file.name, text: file.text.slice(0, evidenceCharacters) }],
    ),
    digest: digestOfRun(entry, run),
  };
}

/** Plays one side alone: for "still true?". */
export async function runSide(
  entry: DriverCase,
  side: Side,
  options: { readonly seed: number; readonly turn: HostTurn },
): Promise<{ readonly succeeded: boolean; readonly result: string; readonly digest: string }> {
  const run = await entry.run(side, options);
  return { succeeded: run.succeeded, result: run.result, digest: digestOfRun(entry, run) };
}

/** Plays both sides on one seed and lets the doctor read what the bad one left. */
export async function reportCase(
  entry: DriverCase,
  options: { readonly seed: number; readonly turn: HostTurn },
): Promise<CaseReport> {
  const badRun = await entry.run("bad", options);
  const goodRun = await entry.run("good", options);
  const [bad, good] = [sideOf(entry, badRun), sideOf(entry, goodRun)];
  let files = 0;
  const sources = evidenceOfRun(badRun, () => `evidence-${++files}`);
  sources.push(sourceOfText(`evidence-${++files}`, badRun.result));
  const { answers } = await diagnose(sources);
  const asLines = (side: SideReport) =>
    side.steps.map(({ timeNs, text, cause }) => ({ timeNs, wire: text, cause, isMark: false }));
  return {
    id: entry.id,
    title: entry.title,
    symptom: entry.symptom,
    cause: entry.cause,
    seed: options.seed,
    isSound: !bad.succeeded && good.succeeded,
    bad,
    good,
    firstDifference: firstDifference(asLines(bad), asLines(good)).index,
    doctor: answers.slice(0, 3).map(({ rule, title, claim, fix }) => ({ rule, title, claim, fix })),
  };
}
