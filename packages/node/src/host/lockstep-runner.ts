// Runs a machine in step with a simulator of another process: neither clock moves while the other owes an answer.

import type { Scheduler } from "@drydock/core/runtime/scheduler";
import type { StepTaker } from "./ordered-steps.ts";

/** The other side: what it has not answered yet, and its clock, which follows ours when it is told to. */
export interface OtherClock {
  readonly pending: number;
  step(): void;
}

/**
 * Time is virtual on both sides, so ten minutes of sound take as long as they take to compute. Steps are never longer than
 * `stepNs`: that is how late an interrupt of the other side can be.
 */
export class LockstepRunner implements StepTaker {
  /** Null: nobody is there yet, and time stands. */
  other: OtherClock | null = null;
  readonly #scheduler: Scheduler;
  readonly #stepNs: number;
  #isStopping = false;
  #wake: (() => void) | null = null;
  #finished: Promise<void> | null = null;

  constructor(scheduler: Scheduler, stepNs: number) {
    this.#scheduler = scheduler;
    this.#stepNs = stepNs;
    scheduler.onWork = () => this.#wake?.();
  }

  ready<T>(run: (argument: T) => void, argument: T): void {
    this.#scheduler.ready(run, argument);
    this.#wake?.();
  }

  /** Runs until `stop` or until the machine stops itself. */
  start(): Promise<void> {
    this.#finished ??= this.#loop();
    return this.#finished;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#wake?.();
    await this.#finished;
  }

  async #loop(): Promise<void> {
    const scheduler = this.#scheduler;
    while (!this.#isStopping) {
      const nowNs = scheduler.nowNs();
      await scheduler.run(nowNs);
      if (scheduler.isStopped) return;
      if (scheduler.nextTimeNs() <= nowNs) continue;
      const { other } = this;
      if (other === null || other.pending > 0) await this.#input();
      else {
        scheduler.catchUp(Math.min(scheduler.nextTimeNs(), nowNs + this.#stepNs));
        other.step();
      }
    }
  }

  /** Until something comes from outside. */
  #input(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = null;
        resolve();
      };
      if (this.#isStopping) this.#wake();
    });
  }
}
