// P08: unlock and relink are both accepted, and the drive does not come back.

import { friendlyBridge, type RelinkBehaviour } from "@drydock/core/devices/relink-bridge/bridge-security";
import type { CaseOptions, CaseRun, DriverCase, Side } from "../driver-case.ts";
import { type Attempt, fireAndForget } from "./bad-driver.ts";
import { BridgeBench, type BridgePath, bridgePaths } from "./bridge-bench.ts";
import { type UnlockOutcome, unlockAndRelink } from "./good-driver.ts";

export interface BenchOptions extends CaseOptions {
  /** Somebody else's program asks the drive all the time. */
  readonly hasMonitor?: boolean;
  /** False: many runs, no traces. */
  readonly trace?: boolean;
}

function newBench(behaviour: Partial<RelinkBehaviour>, path: BridgePath, options: BenchOptions): BridgeBench {
  const bench = new BridgeBench({ ...friendlyBridge, ...behaviour }, path, options, options.trace);
  if (options.hasMonitor === true) bench.startMonitor();
  return bench;
}

export interface BadRun {
  readonly bench: BridgeBench;
  readonly attempt: Attempt;
  /** Where the unit stands at the end, in the class driver's words. */
  readonly unit: string;
  readonly isReadable: boolean;
}

const unitOf = (bench: BridgeBench): string => {
  const unit = bench.driver?.unit;
  if (unit == null) return "no drive";
  return unit.stateReason === "" ? unit.state : `${unit.state}: ${unit.stateReason}`;
};

export async function runBad(
  behaviour: Partial<RelinkBehaviour>,
  path: BridgePath,
  options: BenchOptions,
): Promise<BadRun> {
  const bench = newBench(behaviour, path, options);
  const attempt = await bench.run(() => fireAndForget(bench));
  const unit = unitOf(bench);
  const isReadable = await bench.run(() => bench.isReadable());
  return { bench, attempt, unit, isReadable };
}

export interface GoodRun {
  readonly bench: BridgeBench;
  readonly outcome: UnlockOutcome;
  readonly steps: readonly string[];
}

export async function runGood(
  behaviour: Partial<RelinkBehaviour>,
  path: BridgePath,
  options: BenchOptions,
): Promise<GoodRun> {
  const bench = newBench(behaviour, path, options);
  return { bench, ...(await bench.run(() => unlockAndRelink(bench))) };
}

/** Remarks of the bridge: why it did what it did. */
export function bridgeNotes(bench: BridgeBench): string[] {
  return [...bench.rig.usb.trace.all()].map(({ text }) => text).filter((text) => text.startsWith("bridge: "));
}

/** The post's own words fit a bridge that drops an idle link only. */
const ofThePost: Partial<RelinkBehaviour> = { drop: "when idle" };

async function run(side: Side, options: CaseOptions): Promise<CaseRun> {
  const { bench, result, succeeded } =
    side === "bad"
      ? await runBad(ofThePost, "Bulk-Only", options).then(({ bench: used, attempt, isReadable, unit }) => ({
          bench: used,
          succeeded: isReadable,
          result: `unlock ${attempt.unlock}, relink ${attempt.relink}; then the unit was ${unit}. ${bridgeNotes(used).at(-1) ?? ""}`,
        }))
      : await runGood(ofThePost, "Bulk-Only", options).then(({ bench: used, outcome, steps }) => ({
          bench: used,
          succeeded: outcome === "unlocked and readable",
          result: `${steps.join("; ")}: ${outcome}`,
        }));
  return { succeeded, result, trace: bench.rig.usb.trace, log: bench.rig.machine.log.show() };
}

export const relinkBridgeCase: DriverCase = {
  id: "P08",
  title: "an external drive is not relinked after a SCSI passthrough command",
  symptom: "The security code and the vendor command RelinkBridge both succeed; the drive stays unusable.",
  cause:
    "Success says that the commands were accepted. The relink itself needs a link that may drop: quiet, without error recovery in its way, and somebody who reads the drive anew.",
  describeRequests: [],
  run,
  async *explore(options) {
    const { combinations, explore, explorerReport } = await import("./explorer.ts");
    for (const path of bridgePaths) {
      const all = [];
      for (const combination of combinations()) all.push(await explore(combination, path, options));
      yield* [path, "", ...explorerReport(all), ""];
    }
  },
};
