// drydock explore: trials on a thread per core, with a state on disk that a later run goes on from.

import {
  addTrial,
  beginExploration,
  type ExploreState,
  type ExploreTrial,
  exploreTrial,
  formatExploration,
  formatTrial,
  isExplored,
  refuseState,
  runTrial,
  type TrialResult,
} from "@drydock/core/trials/explore";
import type { WayOut } from "@drydock/core/trials/scenario";
import { hostTurn } from "@drydock/node/host-turn";
import { runJobs } from "@drydock/node/workers/job-pool";
import type { OutputFile } from "../grammar/output-paths.ts";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { findExplorable } from "./explorable-list.ts";
import { explorationAnnotations, explorationJunit } from "./explore-report.ts";
import { untilInterrupted } from "./interruption.ts";
import { earlierState, writeState } from "./trial-state.ts";
import type { TrialJob } from "./trial-thread.ts";

export interface ExploreRigOptions {
  readonly rig: string;
  readonly seed: number;
  readonly replug: number;
  readonly at?: number;
  readonly replugAfter?: number;
  readonly wayOut?: WayOut;
  readonly most?: number;
  readonly workers?: number;
  readonly state?: OutputFile;
  readonly github: boolean;
  readonly junit?: OutputFile;
  readonly json: boolean;
}

/** Trials of one job, and between two writes of the state. */
const trialsPerJob = 20;
const trialsPerWrite = 200;

export async function exploreRig(options: ExploreRigOptions, io: CommandIo): Promise<ExitCode> {
  const entry = await findExplorable(options.rig);
  const { seed, replug, at = 0, replugAfter = 0, wayOut = null, state: file } = options;
  if (wayOut !== null && !entry.hasWaysOut)
    throw new UsageError(`"${entry.name}" has no way out to try: its driver leaves with its cable`);
  if (at > 0 || wayOut !== null) return showTrial(options, { step: at, replugAfter, wayOut }, io);
  const earlier = earlierState<ExploreState>(file, (value) => refuseState(value, entry.name, seed, replug));
  const interruption = untilInterrupted();
  let state: ExploreState;
  try {
    state = await beginExploration(entry, seed, hostTurn, replug, earlier);
    await makeTrials(options, state, interruption.isOver, (next) => {
      state = next;
      if (state.next % trialsPerWrite === 0) writeState(file, state);
      if (state.next % 10 === 0)
        io.progress(`trial ${state.next - 1} of ${state.trials}, ${state.failed} with findings`);
    });
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message);
    throw error;
  } finally {
    interruption.end();
  }
  writeState(file, state);
  if (options.json) io.document(state);
  else if (options.github) io.printAsIs(explorationAnnotations(state));
  else io.print(formatExploration(state));
  options.junit?.write(Buffer.from(explorationJunit(state)));
  if (interruption.isOver() && !isExplored(state)) return exitCodes.interrupted;
  return state.failed === 0 && state.lucky.length === 0 ? exitCodes.pass : exitCodes.finding;
}

async function makeTrials(
  options: ExploreRigOptions,
  begun: ExploreState,
  isStopped: () => boolean,
  onTrial: (state: ExploreState) => void,
): Promise<void> {
  const { rig, seed, workers } = options;
  let state = begun;
  const last = Math.min(state.trials, state.next - 1 + (options.most ?? state.trials));
  const jobs: TrialJob[] = [];
  for (let from = state.next; from <= last; from += trialsPerJob) {
    const count = Math.min(trialsPerJob, last - from + 1);
    const trials = Array.from({ length: count }, (_, index) => exploreTrial(begun, from + index));
    jobs.push({ kind: "explore", rig, seed, trials });
  }
  const add = (results: readonly TrialResult[]): void => {
    for (const result of results) {
      state = addTrial(state, result);
      onTrial(state);
    }
  };
  // A thread costs more than so few trials.
  if (workers !== 1 && jobs.length > 2) {
    const thread = new URL("./trial-thread.ts", import.meta.url);
    const threads = workers === undefined ? {} : { workers };
    await runJobs<TrialJob, TrialResult[]>({ thread, jobs, ...threads, onAnswer: add, isStopped });
    return;
  }
  const entry = await findExplorable(rig);
  while (state.next <= last && !isStopped())
    add([await runTrial(entry, seed, hostTurn, exploreTrial(begun, state.next))]);
}

async function showTrial(
  { rig, seed, json }: ExploreRigOptions,
  trial: ExploreTrial,
  io: CommandIo,
): Promise<ExitCode> {
  const result = await runTrial(await findExplorable(rig), seed, hostTurn, trial);
  if (json) io.document(result);
  else io.print(formatTrial(rig, seed, result));
  return result.problems.length === 0 && result.lucky.length === 0 ? exitCodes.pass : exitCodes.finding;
}
