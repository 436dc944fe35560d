// drydock soak: plays a drawn schedule, and leaves out of a failing one whatever it can do without.

import { formatNs } from "@drydock/core/base/units";
import { drawSoak, formatSoak, type SoakOptions, shrinkSoak, soak } from "@drydock/core/trials/soak";
import { hostTurn } from "@drydock/node/host-turn";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";

export interface SoakRigOptions {
  readonly hours: number;
  readonly perHour: number;
  readonly plugEvery: number;
  readonly loseWritesAfter?: number;
  readonly seed: number;
  readonly json: boolean;
}

export async function soakRig(options: SoakRigOptions, io: CommandIo): Promise<ExitCode> {
  const { seed, hours, perHour, plugEvery, loseWritesAfter } = options;
  const actions = drawSoak(seed, hours, perHour, plugEvery);
  const plan: SoakOptions = {
    seed,
    turn: hostTurn,
    actions,
    ...(loseWritesAfter === undefined ? {} : { losesWritesAfterNs: loseWritesAfter * 3600e9 }),
    onProgress: (done) => io.progress(`${done} of ${actions.length} actions`),
  };
  const result = await soak(plan);
  if (result.problem === null) {
    if (options.json) io.document({ seed, ...result });
    else io.print(formatSoak(result));
    return exitCodes.pass;
  }
  const shrunk = await shrinkSoak(plan, (tries, left) =>
    io.progress(`shrinking: try ${tries}, ${left} actions left`),
  );
  if (options.json) io.document({ seed, ...result, shrunk });
  else {
    const lines = shrunk.map(
      ({ atNs, kind, block, fill }) => `  at ${formatNs(atNs)}: ${kind} block ${block}, fill ${fill}`,
    );
    const more = loseWritesAfter === undefined ? "" : ` --lose-writes-after ${loseWritesAfter}`;
    io.print(
      `${formatSoak(result)}the shortest schedule that fails, ${shrunk.length} of ${actions.length} actions:\n${lines.join("\n")}\n` +
        `again: drydock soak nvme --seed ${seed} --hours ${hours} --per-hour ${perHour} --plug-every ${plugEvery}${more}\n`,
    );
  }
  return exitCodes.finding;
}
