// Runs a rig for programs outside it that only await promises: at once, in virtual time, whenever there is work.

import type { Scheduler } from "../runtime/scheduler.ts";

/** After so many steps the host gets a turn, whatever the rig does: a device with a heartbeat is never idle. */
const stepsPerTurn = 10_000;

/**
 * Time moves only as far as work is due, so a program sees its answers as fast as they can be computed, and a test
 * needs no clock. For real time, and for programs with timers of their own, use the host's live runner.
 */
export class FreeRunner {
  readonly #scheduler: Scheduler;
  readonly #onProblem: (error: unknown) => void;
  #isRunning = false;
  #isStopped = false;

  /** `onProblem` gets what the rig's own work threw; nothing runs after that. */
  constructor(scheduler: Scheduler, onProblem: (error: unknown) => void) {
    this.#scheduler = scheduler;
    this.#onProblem = onProblem;
    const onWork = () => this.#start();
    scheduler.onWork = onWork;
    this.#start();
  }

  /** No further work is begun; what is under way ends with the current turn. */
  stop(): void {
    this.#isStopped = true;
  }

  #start(): void {
    if (this.#isRunning || this.#isStopped) return;
    this.#isRunning = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    try {
      while (!this.#isStopped && !this.#scheduler.isStopped) {
        const last = this.#scheduler.steps + stepsPerTurn;
        await this.#scheduler.run(
          Number.POSITIVE_INFINITY,
          () => this.#isStopped || this.#scheduler.steps >= last,
        );
        if (this.#scheduler.nextTimeNs() === Number.POSITIVE_INFINITY) break;
      }
    } catch (error) {
      this.#isStopped = true;
      this.#onProblem(error);
    }
    this.#isRunning = false;
  }
}
