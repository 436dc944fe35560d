// drydock campaign run: a whole campaign on a thread per core, or one run with the faults of a line or of a file.

import { Random } from "@drydock/core/base/random";
import { shown } from "@drydock/core/base/shown-text";
import type { AccessFault } from "@drydock/core/faults/access-faults";
import {
  CampaignBook,
  type CampaignReport,
  type CampaignResult,
  drawPairs,
  formatCampaign,
  placeOfFault,
  recordWorkload,
  runWithFaults,
  shrinkFaults,
  singleFaults,
} from "@drydock/core/trials/access-campaign";
import { type FaultPlan, formatFaultPlan, parseFaultPlan } from "@drydock/core/trials/fault-plan";
import { hostTurn } from "@drydock/node/host-turn";
import { runJobs } from "@drydock/node/workers/job-pool";
import type { InputFile } from "../grammar/input-paths.ts";
import type { OutputFile, OutputFolder } from "../grammar/output-paths.ts";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { findExplorable } from "./explorable-list.ts";
import { untilInterrupted } from "./interruption.ts";
import { isRigFile, loadRigFile } from "./rig-file.ts";
import type { TrialJob } from "./trial-thread.ts";

interface CampaignOptions {
  readonly rig: string;
  readonly seed: number;
  readonly pairs: number;
  readonly most?: number;
  readonly strike: readonly AccessFault[];
  readonly plan?: InputFile;
  readonly save?: OutputFile;
  readonly findings?: OutputFolder;
  readonly workers?: number;
  readonly json: boolean;
}

const runsPerJob = 40;

export async function runCampaign(options: CampaignOptions, io: CommandIo): Promise<ExitCode> {
  const { rig } = options;
  // A plan is shared: it names a user's rig as the file does, not where the file lies.
  const named = isRigFile(rig) ? (await loadRigFile(rig)).name : rig;
  const plan = planOf(named, options);
  return plan === null ? wholeCampaign(named, options, io) : oneRun(plan, options, io);
}

/** The faults of one run, where the line asks for one. */
function planOf(rig: string, { plan, seed, strike }: CampaignOptions): FaultPlan | null {
  if (plan === undefined) return strike.length === 0 ? null : { rig, seed, faults: strike };
  let read: FaultPlan;
  try {
    read = parseFaultPlan(plan.bytes().toString("utf8"));
  } catch (error) {
    if (error instanceof RangeError)
      throw new UsageError(`${plan.label} is no fault plan: ${shown(error.message)}`);
    throw error;
  }
  if (read.rig !== rig)
    throw new UsageError(
      `${plan.label} is of the rig ${shown(read.rig)}, whose accesses have other numbers than those of ${rig}`,
    );
  return read;
}

async function oneRun(
  plan: FaultPlan,
  { json, rig, save }: CampaignOptions,
  io: CommandIo,
): Promise<ExitCode> {
  const { faults, seed } = plan;
  const entry = await findExplorable(rig);
  const workload = await recordWorkload(entry, seed, hostTurn);
  const places = faults.map((fault) => placeOfFault(workload, fault));
  const result = await runWithFaults(entry, seed, hostTurn, faults);
  save?.write(Buffer.from(formatFaultPlan(plan, places)));
  if (json) io.document({ ...result, places });
  else {
    const struck = faults.map(
      ({ access, fault, number }, at) =>
        `${fault} ${access} ${number}${places[at] === "" ? "" : ` (${places[at]})`}`,
    );
    io.print(
      `${entry.name}, seed ${seed}: ${struck.join(", ")}: ${result.isFired ? result.outcome : "not every fault struck: the run does not count"}\n`,
    );
    for (const problem of result.problems) io.print(`${shown(problem)}\n`);
  }
  return result.isFired && result.problems.length === 0 ? exitCodes.pass : exitCodes.finding;
}

async function wholeCampaign(named: string, options: CampaignOptions, io: CommandIo): Promise<ExitCode> {
  const { findings, json, most, pairs, rig, seed } = options;
  const entry = await findExplorable(rig);
  const interruption = untilInterrupted();
  let report: CampaignReport;
  try {
    const workload = await recordWorkload(entry, seed, hostTurn);
    const all = singleFaults(workload);
    const singles =
      most === undefined || most >= all.length
        ? all
        : Array.from({ length: most }, (_, at) => all[Math.floor((at * all.length) / most)]);
    const book = new CampaignBook(workload);
    const total = singles.length + pairs;
    const add = (result: CampaignResult): void => {
      book.add(result);
      if (book.tried % 20 === 0)
        io.progress(`${book.tried} of ${total} runs, ${book.fired} struck, ${book.failed} with findings`);
    };
    const firsts: CampaignResult[] = [];
    await runAll(
      rig,
      options,
      singles.map((fault) => [fault]),
      interruption.isOver,
      (result) => {
        firsts.push(result);
        add(result);
      },
    );
    const drawn = interruption.isOver() ? [] : drawPairs(firsts, pairs, new Random(seed).fork("pairs"));
    await runAll(rig, options, drawn, interruption.isOver, add);
    report = await book.report((result) => shrinkFaults(entry, seed, hostTurn, result));
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message);
    throw error;
  } finally {
    interruption.end();
  }
  if (json) io.document(report);
  else io.print(formatCampaign(report));
  for (const { faults, places, rule } of report.findings) {
    const name = `${rule.replace(/[^a-z]+/gi, "-")}.json`;
    const written = findings?.write(name, formatFaultPlan({ rig: named, seed, faults }, places));
    if (written !== undefined) io.say(`drydock: ${written}: ${rule}`);
  }
  if (interruption.isOver()) return exitCodes.interrupted;
  // A fault that did not strike is no proof of anything.
  return report.failed === 0 && report.tried === report.fired ? exitCodes.pass : exitCodes.finding;
}

/** Results in the order of the runs, whoever made them. */
async function runAll(
  rig: string,
  { seed, workers }: CampaignOptions,
  runs: readonly (readonly AccessFault[])[],
  isStopped: () => boolean,
  onResult: (result: CampaignResult) => void,
): Promise<void> {
  const jobs: TrialJob[] = [];
  for (let from = 0; from < runs.length; from += runsPerJob)
    jobs.push({ kind: "campaign", rig, seed, runs: runs.slice(from, from + runsPerJob) });
  if (workers !== 1 && jobs.length > 2) {
    const thread = new URL("./trial-thread.ts", import.meta.url);
    const threads = workers === undefined ? {} : { workers };
    const onAnswer = (results: CampaignResult[]): void => results.forEach(onResult);
    await runJobs<TrialJob, CampaignResult[]>({ thread, jobs, ...threads, onAnswer, isStopped });
    return;
  }
  const entry = await findExplorable(rig);
  for (const faults of runs) {
    if (isStopped()) return;
    onResult(await runWithFaults(entry, seed, hostTurn, faults));
  }
}
