// The explorer: the cable out at every step and in again, every way out, lucky reads (posts.md F01, F02, F12).

import type { HostTurn } from "../runtime/scheduler.ts";
import type { Explorable } from "./explorables.ts";
import { describeLuckyRead, type LuckyRead } from "./lucky-reads.ts";
import { type ScenarioPlan, type WayOut, waysOut } from "./scenario.ts";
import { describeTeardown } from "./teardown-watch.ts";

const format = "drydock explore";
const version = 2;
/** Kept in full; the rest is counted. */
const failuresMaximum = 1000;
const luckyMaximum = 200;

/** One run of an exploration. */
export interface ExploreTrial {
  readonly step: number;
  /** The cable is in again so many steps later; 0: it stays out. */
  readonly replugAfter: number;
  /** The driver lets go at the end of the scenario, and the cable leaves after that; null: the cable alone. */
  readonly wayOut: WayOut | null;
}

/** What one run showed. */
export interface TrialResult {
  readonly trial: ExploreTrial;
  readonly outcome: string;
  readonly problems: readonly string[];
  readonly lucky: readonly LuckyRead[];
  /** Of a way out: the order in which the driver let go. */
  readonly teardown: string | null;
}

/** A call site's nearest miss, and the trial that had it. */
export interface LuckySite extends LuckyRead {
  readonly trial: ExploreTrial;
  readonly times: number;
}

/** Where an exploration stands: a JSON document, good for going on with. */
export interface ExploreState {
  readonly format: string;
  readonly version: number;
  readonly rig: string;
  readonly seed: number;
  /** Pairs: the cable in again 1 to so many steps after each step at which it was pulled. */
  readonly replug: number;
  /** Steps of the undisturbed run, and its digest: another program's state has another one. */
  readonly steps: number;
  readonly digest: string;
  /** How many trials there are, and the next one, from 1. */
  readonly trials: number;
  readonly next: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly failed: number;
  readonly failures: readonly { readonly trial: ExploreTrial; readonly problems: readonly string[] }[];
  readonly lucky: readonly LuckySite[];
  readonly teardowns: readonly string[];
}

/** The trials in order: the cable out at each step, then every pair, then every way out. */
export function exploreTrial(state: ExploreState, number: number): ExploreTrial {
  const { steps, replug } = state;
  if (number <= steps) return { step: number, replugAfter: 0, wayOut: null };
  const pair = number - steps - 1;
  if (pair < steps * replug)
    return { step: Math.floor(pair / replug) + 1, replugAfter: (pair % replug) + 1, wayOut: null };
  return { step: 0, replugAfter: 0, wayOut: waysOut[pair - steps * replug] };
}

export function planOf({ step, replugAfter, wayOut }: ExploreTrial): ScenarioPlan {
  return { unplugAtStep: step, replugAfterSteps: replugAfter, ...(wayOut === null ? {} : { wayOut }) };
}

export function describeTrial({ step, replugAfter, wayOut }: ExploreTrial): string {
  if (wayOut !== null) return `way out: ${wayOut}`;
  return replugAfter === 0 ? `step ${step}` : `step ${step}, in again ${replugAfter} later`;
}

/** The options that show a trial again. */
export function trialOptions({ step, replugAfter, wayOut }: ExploreTrial): string {
  if (wayOut !== null) return `--way-out ${wayOut}`;
  return replugAfter === 0 ? `--at ${step}` : `--at ${step} --replug-after ${replugAfter}`;
}

/** Runs one trial. */
export async function runTrial(
  entry: Explorable,
  seed: number,
  turn: HostTurn,
  trial: ExploreTrial,
): Promise<TrialResult> {
  const { outcome, problems, pci } = await entry.run(seed, turn, planOf(trial));
  const windows =
    pci !== undefined && pci.teardown.windowNs > 0
      ? [`teardown: ${describeTeardown(pci.teardown).split("; ")[0]}`]
      : [];
  return {
    trial,
    outcome,
    problems: [...problems, ...windows],
    lucky: pci?.lucky ?? [],
    teardown:
      trial.wayOut === null || pci === undefined
        ? null
        : `${trial.wayOut}: ${describeTeardown(pci.teardown)}`,
  };
}

/** Why a state is not taken; null: it is one of ours, of this version, and asked for the same. */
export function refuseState(value: unknown, rig: string, seed: number, replug = 0): string | null {
  if (typeof value !== "object" || value === null) return "it is no state of an exploration";
  const state = value as Partial<ExploreState>;
  if (state.format !== format) return "it is no state of an exploration";
  if (typeof state.version !== "number" || state.version > version)
    return `it was written by a newer version (${String(state.version)}, this one knows ${version}); begin anew, or use that version`;
  if (state.version < version)
    return `it was written by an older version (${state.version}), which explored less; begin anew`;
  if (state.rig !== rig || state.seed !== seed)
    return `it belongs to rig ${String(state.rig)} with seed ${String(state.seed)}`;
  if (state.replug !== replug) return `it was begun with --replug ${String(state.replug)}`;
  const isWhole =
    Number.isSafeInteger(state.steps) &&
    Number.isSafeInteger(state.trials) &&
    Number.isSafeInteger(state.next) &&
    typeof state.digest === "string" &&
    typeof state.failed === "number" &&
    [state.failures, state.lucky, state.teardowns].every(Array.isArray) &&
    typeof state.outcomes === "object" &&
    state.outcomes !== null;
  return isWhole ? null : "parts of it are missing";
}

/**
 * The undisturbed run, and where an exploration begins or goes on. Throws RangeError when the scenario is not the
 * state's any more: the program has changed.
 */
export async function beginExploration(
  entry: Explorable,
  seed: number,
  turn: HostTurn,
  replug = 0,
  earlier?: ExploreState,
): Promise<ExploreState> {
  const { steps, digest } = await entry.run(seed, turn, {});
  if (earlier !== undefined) {
    if (earlier.digest !== digest)
      throw new RangeError("the scenario runs otherwise than when this state was written; begin anew");
    return earlier;
  }
  const trials = steps * (1 + replug) + (entry.hasWaysOut ? waysOut.length : 0);
  const nothing = { outcomes: {}, failed: 0, failures: [], lucky: [], teardowns: [] };
  return { format, version, rig: entry.name, seed, replug, steps, digest, trials, next: 1, ...nothing };
}

/** The state after the next trial. Results are added in their order, whoever made them. */
export function addTrial(state: ExploreState, result: TrialResult): ExploreState {
  const { trial, outcome, problems, lucky, teardown } = result;
  const hasFailed = problems.length > 0;
  const isKept = hasFailed && state.failures.length < failuresMaximum;
  return {
    ...state,
    next: state.next + 1,
    outcomes: { ...state.outcomes, [outcome]: (state.outcomes[outcome] ?? 0) + 1 },
    failed: state.failed + (hasFailed ? 1 : 0),
    failures: isKept ? [...state.failures, { trial, problems }] : state.failures,
    lucky: lucky.length === 0 ? state.lucky : addLucky(state.lucky, trial, lucky),
    teardowns: teardown === null ? state.teardowns : [...state.teardowns, teardown],
  };
}

/** By call site: how often, and the nearest. A read in the dead link is nearer than any that missed it. */
function addLucky(
  known: readonly LuckySite[],
  trial: ExploreTrial,
  lucky: readonly LuckyRead[],
): LuckySite[] {
  const sites = [...known];
  for (const read of lucky) {
    const at = sites.findIndex((site) => site.what === read.what && site.isInDeadLink === read.isInDeadLink);
    const site = sites[at];
    if (site === undefined) {
      if (sites.length < luckyMaximum) sites.push({ ...read, trial, times: 1 });
      continue;
    }
    const isNearer = Math.abs(read.missedByNs) < Math.abs(site.missedByNs);
    sites[at] = { ...(isNearer ? { ...read, trial } : site), times: site.times + 1 };
  }
  return sites;
}

export interface ExploreOptions {
  readonly entry: Explorable;
  readonly seed: number;
  readonly turn: HostTurn;
  readonly replug?: number;
  /** From an earlier run; `refuseState` has let it pass. */
  readonly state?: ExploreState;
  /** Trials made this time at most. */
  readonly most?: number;
  readonly onProgress?: (state: ExploreState) => void;
  /** Asked after each trial. */
  readonly isStopped?: () => boolean;
}

/** Makes trial after trial. Throws as `beginExploration` does. */
export async function explore(options: ExploreOptions): Promise<ExploreState> {
  const { entry, seed, turn, replug } = options;
  let state = await beginExploration(entry, seed, turn, replug, options.state);
  const last = Math.min(state.trials, state.next - 1 + (options.most ?? state.trials));
  while (state.next <= last && options.isStopped?.() !== true) {
    state = addTrial(state, await runTrial(entry, seed, turn, exploreTrial(state, state.next)));
    options.onProgress?.(state);
  }
  return state;
}

export function isExplored(state: ExploreState): boolean {
  return state.next > state.trials;
}

/** Pages of `drydock explain` for what an exploration finds. */
const pages: readonly (readonly [what: RegExp, page: string])[] = [
  [/LLC Bus error/, "DR14-1"],
  [/MemoryRead|BAR mappings that Close took away/, "DR14-4"],
  [/^teardown: /, "DR14-6"],
  [/dispatch_sync called on queue already owned/, "DR11-1"],
];
const luckyPage = "DR14-3";

function pagesOf(state: ExploreState): string[] {
  const texts = state.failures.flatMap(({ problems }) => problems);
  const found = pages.filter(([what]) => texts.some((text) => what.test(text))).map(([, page]) => page);
  if (state.lucky.length > 0) found.push(luckyPage);
  return [...new Set(found)];
}

/** For people: what was found, and the lines that show the first finding again and explain it. */
export function formatExploration(state: ExploreState): string {
  const { rig, seed, steps, replug, trials, failed, failures, lucky, teardowns } = state;
  const explored = Math.min(state.next - 1, steps);
  const pairs =
    replug > 0
      ? `, ${Math.max(0, Math.min(state.next - 1 - steps, steps * replug))} of ${steps * replug} pairs of unplug and replug`
      : "";
  const lines = [
    `${rig}, seed ${seed}: ${explored} of ${steps} steps explored${pairs}; ${state.next - 1} of ${trials} trials`,
    ...Object.entries(state.outcomes).map(([outcome, count]) => `  ${count} x ${outcome}`),
    ...teardowns.map((line) => `teardown by ${line}`),
  ];
  if (failed === 0) lines.push("nothing was left behind, nothing panicked");
  for (const { trial, problems } of failures.slice(0, 10))
    lines.push(`${describeTrial(trial)}: ${problems.join("; ")}`);
  if (failed > 10) lines.push(`and ${failed - 10} more`);
  if (lucky.length > 0) lines.push("lucky reads, the nearest of each place first met:");
  for (const site of lucky.slice(0, 10))
    lines.push(`  ${describeLuckyRead(site)} (${describeTrial(site.trial)}; ${site.times} times in all)`);
  if (lucky.length > 10) lines.push(`  and ${lucky.length - 10} more places`);
  const again = failures[0]?.trial ?? lucky[0]?.trial;
  if (again !== undefined) lines.push(`again: drydock explore ${rig} --seed ${seed} ${trialOptions(again)}`);
  for (const page of pagesOf(state)) lines.push(`why, and what to do: drydock explain ${page}`);
  return `${lines.join("\n")}\n`;
}

/** One trial for people. */
export function formatTrial(rig: string, seed: number, result: TrialResult): string {
  const { trial, outcome, problems, lucky, teardown } = result;
  return `${[
    `${rig}, seed ${seed}, ${trial.wayOut === null ? `unplugged at ${describeTrial(trial)}` : describeTrial(trial)}: ${outcome}`,
    ...(problems.length === 0 ? ["nothing was left behind"] : problems),
    ...(teardown === null ? [] : [`teardown by ${teardown}`]),
    ...lucky.map((read) => `lucky read: ${describeLuckyRead(read)}`),
  ].join("\n")}\n`;
}
