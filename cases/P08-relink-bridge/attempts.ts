// P08: one attempt of each app on a bridge that behaves so or so, and where the drive is left.

import { friendlyBridge, type RelinkBehaviour } from "@drydock/core/devices/relink-bridge/bridge-security";
import type { CaseOptions } from "../driver-case.ts";
import { type Attempt, fireAndForget } from "./bad-driver.ts";
import { BridgeBench, type BridgePath } from "./bridge-bench.ts";
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
