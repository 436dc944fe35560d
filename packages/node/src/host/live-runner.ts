// Runs a machine on the real clock: the same scheduler, driven by elapsed time and by work from outside.

import type { RunOutcome, Scheduler } from "@drydock/core/runtime/scheduler";

/** Never asleep longer than this, so that a stop is noticed. */
const longestSleepMs = 200;
/** Much that is due at once is done in stretches of so long: between them sockets and timers are looked at. */
const stretchMs = 2;
/** After so many steps each time the clock is looked at. */
const stepsPerLook = 64;

/**
 * Virtual time follows the wall: each pass runs everything that is due, then waits for the next event or for `wake`.
 * Input from outside (a terminal, a socket) makes work runnable through the scheduler, which wakes the runner.
 */
export class LiveRunner {
  readonly #scheduler: Scheduler;
  readonly #rate: number;
  readonly #isHeld: (() => boolean) | null;
  #originMs: number;
  #isStopping = false;
  /** When the wait ends by itself. */
  #wakesAtNs = 0;
  #wake: (() => void) | null = null;
  #finished: Promise<void> | null = null;

  /**
   * `rate`: seconds of the machine in one of the wall. Below 1 for a foreign side that is emulated and slow. While `isHeld` the
   * machine's clock stands still, though what is due and what comes from outside is done: time that such a side needs is not
   * the wire's.
   */
  constructor(scheduler: Scheduler, rate = 1, isHeld: (() => boolean) | null = null) {
    this.#scheduler = scheduler;
    this.#rate = rate;
    this.#isHeld = isHeld;
    this.#originMs = performance.now() - scheduler.nowNs() / 1e6 / rate;
    scheduler.onWork = () => this.#wake?.();
  }

  /** Nanoseconds since the machine was switched on. */
  nowNs(): number {
    const wallMs = performance.now();
    if (this.#isHeld?.() === true) {
      const stoodNs = this.#scheduler.nowNs();
      this.#originMs = wallMs - stoodNs / 1e6 / this.#rate;
      return stoodNs;
    }
    return Math.floor((wallMs - this.#originMs) * 1e6 * this.#rate);
  }

  /**
   * Input from a socket (socket-stream.ts): the step is taken at once if the machine is waiting, with all that it makes
   * due, so that answers leave in the turn in which their questions came. Not from inside a call of a port.
   */
  ready<T>(run: (argument: T) => void, argument: T): void {
    const wake = this.#wake;
    if (wake === null) {
      this.#scheduler.ready(run, argument);
      return;
    }
    this.#wake = null;
    this.#scheduler.ready(run, argument);
    // Callbacks look at nothing between two steps: a clock that may be held only does what is due already.
    const nowNs = this.#isHeld === null ? this.nowNs() : this.#scheduler.nowNs();
    this.#scheduler.catchUp(nowNs);
    const isAllDone = this.#scheduler.runCallbacks(nowNs);
    this.#wake = wake;
    if (
      !isAllDone ||
      this.#isHeld !== null ||
      this.#scheduler.isStopped ||
      this.#scheduler.nextTimeNs() < this.#wakesAtNs
    )
      wake();
  }

  /** Runs until `stop` or until the machine stops itself. `afterPass` sees each pass's outcome. */
  start(afterPass: (outcome: RunOutcome) => void = () => {}): Promise<void> {
    this.#finished ??= this.#loop(afterPass);
    return this.#finished;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#wake?.();
    await this.#finished;
  }

  async #loop(afterPass: (outcome: RunOutcome) => void): Promise<void> {
    let isCut = false;
    while (!this.#isStopping) {
      const nowNs = this.nowNs();
      // A stretch that was cut may have left some of what was due in one instant: that is done before time moves.
      if (!isCut) this.#scheduler.catchUp(nowNs);
      const endMs = performance.now() + stretchMs;
      let steps = 0;
      let isLong = false;
      const looks = (): boolean => {
        if (++steps % stepsPerLook === 0) isLong ||= performance.now() > endMs;
        // Held since a step of this pass: the rest of it is not yet due.
        return isLong || (this.#isHeld?.() === true && this.#scheduler.nowNs() < nowNs);
      };
      const outcome = await this.#scheduler.run(nowNs, looks);
      afterPass(outcome);
      if (this.#scheduler.isStopped) return;
      isCut = outcome.reason === "done";
      if (isCut) {
        await new Promise((resolve) => setImmediate(resolve));
        continue;
      }
      const waitMs = (this.#scheduler.nextTimeNs() - this.nowNs()) / 1e6 / this.#rate;
      if (waitMs > 0) await this.#sleep(Math.min(waitMs, longestSleepMs));
    }
  }

  /** Until the time is over or somebody wakes us. */
  #sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#wake = null;
        resolve();
      };
      this.#wakesAtNs = this.nowNs() + milliseconds * 1e6 * this.#rate;
      const timer = setTimeout(done, milliseconds);
      this.#wake = () => {
        this.#wake = null;
        clearTimeout(timer);
        setImmediate(resolve);
      };
    });
  }
}
