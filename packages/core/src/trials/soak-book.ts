// Where a soak over many seeds stands: a document that later runs go on from, and what is said of it.

import { formatSoak, type SoakPlan, type SoakResult } from "./soak.ts";
import type { SoakAction } from "./soak-loads.ts";

const format = "drydock soak";
const version = 1;

/** One seed's run; of a failing one, also the numbers of the actions that are left when it is shrunk, and these actions. */
export interface SoakEntry {
  readonly seed: number;
  readonly result: SoakResult;
  readonly only: readonly number[] | null;
  readonly actions: readonly SoakAction[] | null;
}

/** What is the same for every seed. */
export type SoakTerms = Omit<SoakPlan, "seed" | "only">;

/** A JSON document. */
export interface SoakState {
  readonly format: string;
  readonly version: number;
  readonly rig: string;
  readonly terms: SoakTerms;
  /** The first seed, and how many follow. */
  readonly seed: number;
  readonly seeds: number;
  /** In the order of the seeds. */
  readonly entries: readonly SoakEntry[];
}

export function newSoakState(rig: string, terms: SoakTerms, seed: number, seeds: number): SoakState {
  return { format, version, rig, terms, seed, seeds, entries: [] };
}

/** Why a state is not taken; null: it is one of ours, of this version, and asked for the same. */
export function refuseSoakState(value: unknown, wanted: SoakState): string | null {
  if (typeof value !== "object" || value === null) return "it is no state of a soak";
  const state = value as Partial<SoakState>;
  if (state.format !== format) return "it is no state of a soak";
  if (typeof state.version !== "number" || state.version > version)
    return `it was written by a newer version (${String(state.version)}, this one knows ${version}); begin anew, or use that version`;
  if (state.rig !== wanted.rig || state.seed !== wanted.seed)
    return `it belongs to rig ${String(state.rig)} from seed ${String(state.seed)} on`;
  if (JSON.stringify(state.terms) !== JSON.stringify(wanted.terms))
    return "it was begun with other hours, actions, plug cycles or faults";
  if (!Array.isArray(state.entries)) return "parts of it are missing";
  const isInOrder = state.entries.every(
    (entry, index) =>
      entry?.seed === wanted.seed + index &&
      (typeof entry.result?.problem === "string" || entry.result?.problem === null),
  );
  return isInOrder ? null : "its seeds are out of order";
}

export function addSoakEntry(state: SoakState, entry: SoakEntry): SoakState {
  return { ...state, entries: [...state.entries, entry] };
}

export function failedSeeds(state: SoakState): readonly SoakEntry[] {
  return state.entries.filter(({ result }) => result.problem !== null);
}

/** The line that plays one seed again; of a shrunk schedule only what is left of it. */
export function soakLine(rig: string, terms: SoakTerms, entry: Pick<SoakEntry, "seed" | "only">): string {
  const { hours, perHour, plugEvery, loseWritesAfter } = terms;
  const fault = loseWritesAfter === undefined ? "" : ` --lose-writes-after ${loseWritesAfter}`;
  const only = entry.only === null ? "" : ` --only ${entry.only.join(",")}`;
  return `drydock soak ${rig} --seed ${entry.seed} --hours ${hours} --per-hour ${perHour} --plug-every ${plugEvery}${fault}${only}`;
}

/** For people: each seed, and of each failing one the shortest schedule and the line that shows it. */
export function formatSoakState(state: SoakState): string {
  const { rig, terms, entries, seeds } = state;
  const lines = entries.flatMap((entry) => {
    const { result, only, actions } = entry;
    const said = [`${rig}, seed ${entry.seed}: ${formatSoak(result)}`];
    if (only === null || actions === null) return said;
    return [
      ...said,
      `  the shortest schedule that fails, ${only.length} of ${Math.round(terms.hours * terms.perHour)} actions:`,
      ...actions.map(describeAction),
      `  again: ${soakLine(rig, terms, entry)}`,
    ];
  });
  if (seeds > 1)
    lines.push(`${entries.length} of ${seeds} seeds, ${failedSeeds(state).length} with findings`);
  return `${lines.join("\n")}\n`;
}

function describeAction({ atNs, kind, place, fill }: SoakAction): string {
  return `    at ${(atNs / 3600e9).toFixed(4)} h: ${kind}, place ${place}, fill ${fill}`;
}
