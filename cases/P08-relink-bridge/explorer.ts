// P08, the re-enumeration explorer: every way a relink can go, what it ends in, and what a host can tell apart (F21).

import { RelinkPhase } from "@drydock/core/codec/mass-storage/relink-bridge";
import { friendlyBridge, type RelinkBehaviour } from "@drydock/core/devices/relink-bridge/bridge-security";
import type { CaseOptions } from "../driver-case.ts";
import { runBad, runGood } from "./attempts.ts";
import type { BridgeBench, BridgePath } from "./bridge-bench.ts";
import type { UnlockOutcome } from "./good-driver.ts";

export interface Combination extends RelinkBehaviour {
  /** What is still open: a monitor that asks the drive every half second, or nothing. */
  readonly others: "nobody" | "a monitor";
}

const axes: { readonly [Key in keyof Combination]: readonly Combination[Key][] } = {
  relink: ["disconnect", "attention", "on reset"],
  drop: ["after status", "before status", "when idle"],
  unlock: ["survives", "is lost"],
  capacity: ["fresh", "stale"],
  ready: ["at once", "becoming ready", "start needed"],
  others: ["nobody", "a monitor"],
};

/** All combinations, in a fixed order. */
export function combinations(): Combination[] {
  let found: Combination[] = [{ ...friendlyBridge, others: "nobody" }];
  for (const [key, values] of Object.entries(axes))
    found = found.flatMap((combination) => values.map((value) => ({ ...combination, [key]: value })));
  return found;
}

/** Where the drive is left, by what is inside the bridge. */
export function endState(bench: BridgeBench, isReadable: boolean): string {
  const { security } = bench.bridge;
  if (isReadable) return "unlocked and readable";
  if (security.isHalfDone) return "half done: not ready until the port is reset";
  if (security.phase === RelinkPhase.waitsForReset) return "waits for a reset of the port";
  if (security.phase === RelinkPhase.forgotten) return "accepted, never carried out";
  if (security.phase === RelinkPhase.pending) return "accepted, still to come";
  if (security.isLocked) return "locked again by the relink";
  if (!security.isHidden && bench.rig.media.length === 0)
    return "unlocked, and nobody read the capacity anew";
  return "unknown";
}

export interface Explored {
  readonly combination: Combination;
  /** Fire and forget: where it ends, and all that its app saw. */
  readonly bad: { readonly state: string; readonly seen: string };
  readonly good: { readonly state: string; readonly outcome: UnlockOutcome };
}

export async function explore(
  combination: Combination,
  path: BridgePath,
  options: CaseOptions,
): Promise<Explored> {
  const plan = { ...options, hasMonitor: combination.others === "a monitor", trace: false };
  const bad = await runBad(combination, path, plan);
  const good = await runGood(combination, path, plan);
  const isReadable = good.outcome === "unlocked and readable";
  const { attempt } = bad;
  return {
    combination,
    bad: {
      state: endState(bad.bench, bad.isReadable),
      seen: `unlock ${attempt.unlock}; relink ${attempt.relink}; then ${attempt.polls.join(", then ")}; unit ${bad.unit}`,
    },
    good: { state: endState(good.bench, isReadable), outcome: good.outcome },
  };
}

/** States of fire and forget that look the same from outside: seen -> states, only where there are several. */
export function alike(all: readonly Explored[]): Map<string, string[]> {
  const states = new Map<string, Set<string>>();
  for (const { bad } of all) states.set(bad.seen, (states.get(bad.seen) ?? new Set()).add(bad.state));
  return new Map(
    [...states].filter(([, found]) => found.size > 1).map(([seen, found]) => [seen, [...found].sort()]),
  );
}

function counted(states: Iterable<string>): string[] {
  const counts = new Map<string, number>();
  for (const state of states) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([state, count]) => `${String(count).padStart(5)}  ${state}`);
}

/** The explorer's report on one path, as lines. */
export function explorerReport(all: readonly Explored[]): string[] {
  const lines = [
    `${all.length} combinations`,
    "",
    "Fire and forget ends in",
    ...counted(all.map(({ bad }) => bad.state)),
    "",
    "With every step verified",
    ...counted(all.map(({ good }) => good.outcome)),
    "",
    "What fire and forget cannot tell apart:",
  ];
  const same = alike(all);
  if (same.size === 0) lines.push("  nothing");
  for (const [seen, states] of same) lines.push(`  ${seen}`, ...states.map((state) => `    - ${state}`));
  return lines;
}
