// drydock disk prove: the power is cut at every step of a journalled workload (what its flushes are worth).

import {
  memoryDurabilityBench,
  nvmeDurabilityBench,
  storageDurabilityBench,
  withShortModeSense,
} from "@drydock/core/trials/durability-benches";
import { formatDurability, proveDurability } from "@drydock/core/trials/durability-prover";
import { hostTurn } from "@drydock/node/host-turn";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";

export interface DiskProveOptions {
  readonly seed: number;
  readonly cuts: number;
  readonly transactions: number;
  readonly through: "uas" | "bulk-only" | "nvme" | "none";
  readonly fault?: "short-mode-sense" | "lying-flush";
  readonly json: boolean;
}

/** Exit code 1 and the first lost sector when a promise was broken. */
export async function proveDisk(options: DiskProveOptions, io: CommandIo): Promise<ExitCode> {
  const { through, fault } = options;
  const report = await proveDurability({
    seed: options.seed,
    cuts: options.cuts,
    transactions: options.transactions,
    makeBench: async (seed) => {
      if (through === "none") return memoryDurabilityBench(seed);
      if (through === "nvme")
        return nvmeDurabilityBench(seed, hostTurn, { liesAboutFlush: fault === "lying-flush" });
      return storageDurabilityBench(seed, hostTurn, {
        timing: "none",
        policy: through,
        ...(fault === undefined ? {} : { target: withShortModeSense }),
      });
    },
    onProgress: (cuts) => {
      if (cuts % 50 === 0) io.progress(`${cuts} of ${options.cuts} cuts`);
    },
  });
  if (options.json) io.document(report);
  else io.print(formatDurability(report));
  return report.loss === null ? exitCodes.pass : exitCodes.finding;
}
