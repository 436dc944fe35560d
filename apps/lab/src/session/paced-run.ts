// A rig that runs for long in slices: the host's loop turns between them, and who asks is answered and may say stop.

import type { RunOutcome } from "@drydock/core/runtime/scheduler";
import type { DoneAct } from "./done-act.ts";
import type { RigRun } from "./lab-run.ts";

/** Somebody said stop: what was under way is given up. */
export class GivenUp extends Error {
  constructor() {
    super("Stopped, as you asked.");
    this.name = "GivenUp";
  }
}

export interface Pace {
  /** Milliseconds; only differences count. */
  now(): number;
  /** Lets the host take messages. Rejects with GivenUp when somebody has said stop. */
  rest(): Promise<void>;
}

/** Longest stretch without a rest, milliseconds. */
const stretchMs = 50;

/** To a moment of virtual time, or until `isThere` says so after a step. Rejects with GivenUp. */
export async function runPaced(
  run: RigRun,
  untilNs: number,
  pace: Pace,
  isThere: () => boolean = () => false,
): Promise<RunOutcome> {
  const { scheduler } = run.rig.machine;
  for (;;) {
    const begun = pace.now();
    let isCut = false;
    const outcome = await scheduler.run(untilNs, () => {
      run.note();
      if (isThere()) return true;
      // Asked twice at the same step, so that the same is answered.
      isCut = (scheduler.steps & 255) === 0 && pace.now() - begun > stretchMs;
      return isCut;
    });
    if (!isCut || outcome.reason !== "done") return outcome;
    await pace.rest();
  }
}

/** Does again what was done by hand, each at its time, and goes on to a moment. Rejects with GivenUp. */
export async function playTo(
  run: RigRun,
  acts: readonly DoneAct[],
  timeNs: number,
  pace: Pace,
): Promise<void> {
  const { scheduler } = run.rig.machine;
  for (const { name, timeNs: at, value } of acts) {
    await runPaced(run, at, pace);
    if (scheduler.isStopped) return;
    scheduler.catchUp(at);
    run.perform(name, value);
  }
  await runPaced(run, timeNs, pace);
}
