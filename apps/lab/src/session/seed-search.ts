// Which seed fails: the same again on one seed after the other, and of the first that fails what it needs to fail.

import type { DoneAct } from "./done-act.ts";
import type { EndedRun, RigRun } from "./lab-run.ts";
import type { Opening } from "./messages.ts";
import { type Pace, playTo } from "./paced-run.ts";

export interface SeedSearch {
  readonly opening: Opening;
  /** What was done by hand, and how far it went: the same on every seed. Of a rig only. */
  readonly acts: readonly DoneAct[];
  readonly timeNs: number;
  /** Every `step`-th seed from `first` to `last` is tried. */
  readonly first: number;
  readonly step: number;
  readonly last: number;
  /** Told of each seed that was tried; `why` is empty where it does not fail. */
  onTried?(seed: number, why: string): void;
  /** Whether what it needs to fail is looked for. */
  readonly shrinks: boolean;
  make(opening: Opening): Promise<RigRun | EndedRun>;
  /** What it is busy with, in words. */
  onProgress(text: string): void;
  readonly pace: Pace;
}

export interface FailingSeed {
  readonly seed: number;
  readonly why: string;
  /** The run that fails, with no more than it needs. */
  readonly run: RigRun | EndedRun;
  /** Acts and faults that it fails without. */
  readonly spared: readonly string[];
}

interface Trial {
  readonly opening: Opening;
  readonly acts: readonly DoneAct[];
}

/** Null: none of them fails. Rejects with GivenUp when somebody says stop. */
export async function findFailingSeed(search: SeedSearch): Promise<FailingSeed | null> {
  const { acts, first, last, make, onProgress, onTried, opening, pace, shrinks, step, timeNs } = search;
  const attempt = async (trial: Trial): Promise<{ run: RigRun | EndedRun; why: string }> => {
    const run = await make({ ...trial.opening, isRunning: false });
    if (!isRig(run)) return { run, why: run.result.succeeded ? "" : run.result.text };
    await playTo(run, trial.acts, timeNs, pace);
    return { run, why: whyFailed(run) };
  };
  for (let seed = first; seed <= last; seed += step) {
    onProgress(`seed ${seed} of ${last}`);
    let trial: Trial = { opening: { ...opening, seed }, acts };
    let { run, why } = await attempt(trial);
    await pace.rest();
    onTried?.(seed, why);
    if (why === "") continue;
    if (!shrinks) return { seed, why, run, spared: [] };
    const spared: string[] = [];
    const shorter = async (without: Trial, name: string): Promise<void> => {
      onProgress(`seed ${seed} fails: does it need ${name}?`);
      const again = await attempt(without);
      if (again.why !== why) return;
      run = again.run;
      trial = without;
      spared.push(name);
    };
    // The latest first: what was done last is most often done in vain.
    for (const act of [...acts].reverse()) {
      await shorter({ ...trial, acts: trial.acts.filter((other) => other !== act) }, nameOf(act));
      await pace.rest();
    }
    for (const rule of opening.faults) {
      const faults = trial.opening.faults.filter((other) => other !== rule);
      await shorter({ ...trial, opening: { ...trial.opening, faults } }, `the fault ${rule}`);
      await pace.rest();
    }
    return { seed, why, run, spared: spared.reverse() };
  }
  return null;
}

// Not by its class: in a page this is a script of its own, with another copy of that.
const isRig = (run: RigRun | EndedRun): run is RigRun => "rig" in run;

/** Empty: it has not. */
const whyFailed = ({ rig }: RigRun): string => rig.machine.failure?.text ?? rig.failures()[0] ?? "";

const nameOf = ({ name, timeNs, value }: DoneAct): string =>
  `${name}${value === "" ? "" : ` ${JSON.stringify(value)}`} at ${(timeNs / 1e9).toFixed(6)} s`;

/** What a search says at its end. */
export function tellSearch(found: FailingSeed | null, count: number): string {
  if (found === null) return `None of ${count} ${count === 1 ? "seed" : "seeds"} fails.`;
  const { seed, spared, why } = found;
  const left = spared.length === 0 ? "" : ` It fails without ${spared.join(", ")} too: they are left out.`;
  return `Seed ${seed} fails: ${why}${/[.!?]$/.test(why) ? "" : "."}${left}`;
}
