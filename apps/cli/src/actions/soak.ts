// drydock soak: seeds on a thread per core; of a failing schedule the shortest part that still fails.

import type { RigEntry } from "@drydock/core/rigs/catalogue";
import {
  addSoakEntry,
  failedSeeds,
  formatSoakState,
  newSoakState,
  refuseSoakState,
  type SoakEntry,
  type SoakState,
} from "@drydock/core/trials/soak-book";
import { runJobs } from "@drydock/node/workers/job-pool";
import type { OutputFile } from "../grammar/output-paths.ts";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { untilInterrupted } from "./interruption.ts";
import { wordOf } from "./rig-file.ts";
import { earlierState, writeState } from "./trial-state.ts";
import { soakSeed, type TrialJob } from "./trial-thread.ts";

export interface SoakRigOptions {
  readonly rig: RigEntry;
  readonly hours: number;
  readonly perHour: number;
  readonly plugEvery: number;
  readonly loseWritesAfter?: number;
  readonly seed: number;
  readonly seeds: number;
  readonly only?: readonly number[];
  readonly workers?: number;
  readonly state?: OutputFile;
  readonly json: boolean;
}

export async function soakRig(options: SoakRigOptions, io: CommandIo): Promise<ExitCode> {
  const { rig, seed, seeds, hours, perHour, plugEvery, loseWritesAfter, only, workers } = options;
  if (rig.outlets.length === 0)
    throw new UsageError(
      `"${rig.name}" has no port, disk or input that a soak could use; drydock explore plays its use`,
    );
  const lost = loseWritesAfter === undefined ? {} : { loseWritesAfter };
  const terms = { hours, perHour, plugEvery, ...lost };
  const fresh = newSoakState(wordOf(rig), terms, seed, seeds);
  const earlier = earlierState<SoakState>(options.state, (value) => refuseSoakState(value, fresh));
  let state: SoakState = earlier === undefined ? fresh : { ...earlier, seeds };
  const plans = Array.from({ length: Math.max(0, seeds - state.entries.length) }, (_, index) => ({
    ...terms,
    seed: seed + state.entries.length + index,
    ...(only === undefined ? {} : { only }),
  }));
  const interruption = untilInterrupted();
  const add = (entry: SoakEntry): void => {
    state = addSoakEntry(state, entry);
    writeState(options.state, state);
    io.progress(`${state.entries.length} of ${seeds} seeds, ${failedSeeds(state).length} with findings`);
  };
  try {
    if (plans.length > 1 && workers !== 1) {
      const thread = new URL("./trial-thread.ts", import.meta.url);
      const jobs = plans.map((plan): TrialJob => ({ kind: "soak", rig: wordOf(rig), plan }));
      const threads = workers === undefined ? {} : { workers };
      await runJobs<TrialJob, SoakEntry>({
        thread,
        jobs,
        ...threads,
        onAnswer: add,
        isStopped: interruption.isOver,
      });
    } else {
      for (const plan of plans) {
        const entry = await soakSeed(rig, plan, (text) => io.progress(text), interruption.isOver);
        // A seed that was broken off says nothing.
        if (interruption.isOver()) break;
        add(entry);
      }
    }
  } finally {
    interruption.end();
  }
  if (options.json) io.document(state);
  else io.print(formatSoakState(state));
  if (interruption.isOver() && state.entries.length < seeds) return exitCodes.interrupted;
  return failedSeeds(state).length === 0 ? exitCodes.pass : exitCodes.finding;
}
