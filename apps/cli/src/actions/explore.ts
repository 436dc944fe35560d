// drydock explore: steps one after the other, with a state on disk that a later run goes on from.

import { readFileSync, statSync } from "node:fs";
import {
  type ExploreState,
  explorables,
  explore,
  formatExploration,
  isExplored,
  refuseState,
} from "@drydock/core/trials/explore";
import { hostTurn } from "@drydock/node/host-turn";
import type { OutputFile } from "../grammar/output-paths.ts";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { untilInterrupted } from "./interruption.ts";

export interface ExploreRigOptions {
  readonly rig: string;
  readonly seed: number;
  readonly at?: number;
  readonly most?: number;
  readonly state?: OutputFile;
  readonly json: boolean;
}

/** A state larger than this is none of ours. */
const stateMaximum = 64 << 20;
/** Steps between two writes of the state. */
const stepsPerWrite = 50;

export async function exploreRig(options: ExploreRigOptions, io: CommandIo): Promise<ExitCode> {
  const entry = explorables.find(({ name }) => name === options.rig);
  if (entry === undefined) throw new UsageError(`there is no rig "${options.rig}" to explore`);
  const { seed, at, most, state: file } = options;
  if (at !== undefined) return showStep(options, entry, at, io);
  const earlier = file === undefined ? undefined : earlierState(file.path, options.rig, seed);
  const write = (state: ExploreState): void => file?.write(Buffer.from(`${JSON.stringify(state)}\n`));
  const interruption = untilInterrupted();
  let found: ExploreState;
  try {
    found = await explore({
      entry,
      seed,
      turn: hostTurn,
      ...(earlier === undefined ? {} : { state: earlier }),
      ...(most === undefined ? {} : { most }),
      onProgress: (state) => {
        if (state.next % stepsPerWrite === 0) write(state);
        if (state.next % 10 === 0)
          io.progress(`step ${state.next - 1} of ${state.steps}, ${state.failed} with findings`);
      },
      isStopped: () => interruption.isOver(),
    });
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message);
    throw error;
  } finally {
    interruption.end();
  }
  write(found);
  if (options.json) io.document(found);
  else io.print(formatExploration(found));
  if (interruption.isOver() && !isExplored(found)) return exitCodes.interrupted;
  return found.failed === 0 ? exitCodes.pass : exitCodes.finding;
}

async function showStep(
  options: ExploreRigOptions,
  entry: (typeof explorables)[number],
  step: number,
  io: CommandIo,
): Promise<ExitCode> {
  const result = await entry.run(options.seed, hostTurn, step);
  if (options.json) io.document({ step, ...result });
  else {
    const found = result.problems.length === 0 ? "nothing was left behind" : result.problems.join("\n");
    io.print(
      `${options.rig}, seed ${options.seed}, unplugged at step ${step}: ${result.outcome}\n${found}\n`,
    );
  }
  return result.problems.length === 0 ? exitCodes.pass : exitCodes.finding;
}

function earlierState(path: string, rig: string, seed: number): ExploreState | undefined {
  const { size } = statSync(path);
  if (size === 0) return undefined;
  if (size > stateMaximum) throw new UsageError(`--state is larger than any state: ${size} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch {
    throw new UsageError("--state was cut short; remove the file to begin anew");
  }
  const why = refuseState(value, rig, seed);
  if (why !== null) throw new UsageError(`--state cannot be gone on with: ${why}`);
  return value as ExploreState;
}
