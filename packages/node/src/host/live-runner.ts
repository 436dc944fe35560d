// Runs a machine on the real clock: the same scheduler, driven by elapsed time and by work from outside.

import type { RunOutcome, Scheduler } from "@drydock/core/runtime/scheduler";

/** Never asleep longer than this, so that a stop is noticed. */
const longestSleepMs = 200;
/** Much that is due at once is done in stretches of so long: between them sockets and timers are looked at. */
const stretchMs = 2;
/** After so many steps each time the clock is looked at. */
const stepsPerLook = 64;
/** Callbacks in a row, before sockets and timers are looked at. */
const mostCallbacks = 1024;
/** An alarm that is wrong by less than this stays as it is. */
const alarmGrainNs = 500_000;
const stillRunning: RunOutcome = { reason: "time", waits: [] };

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
  /** When the wait ends by itself, the alarm that ends it, and what it calls. */
  #wakesAtNs = 0;
  #timer: NodeJS.Timeout | undefined = undefined;
  #fired: () => void = () => {};
  #wake: (() => void) | null = null;
  #finished: Promise<void> | null = null;
  #afterPass: (outcome: RunOutcome) => void = () => {};

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
    // What is due came before it. Not where we are behind: the input may have waited for us as long.
    const isDue = wake !== null && this.#isHeld === null && this.#scheduler.nextTimeNs() < this.nowNs();
    const goesOn = !isDue || this.nowNs() > this.#wakesAtNs + alarmGrainNs || this.#takesDue();
    this.#wake = null;
    this.#scheduler.ready(run, argument);
    this.#wake = wake;
    if (wake === null) return;
    if (!goesOn || !this.#takesDue()) wake();
    else if (Math.abs(this.#scheduler.wakeTimeNs() - this.#wakesAtNs) > alarmGrainNs) this.#arm();
  }

  /** What is due while the machine sleeps. True: that was callbacks and it is done, so that it may sleep on. */
  #takesDue(): boolean {
    const wake = this.#wake;
    this.#wake = null;
    // Callbacks look at nothing between two steps: a clock that may be held only does what is due already.
    const nowNs = this.#isHeld === null ? this.nowNs() : this.#scheduler.nowNs();
    this.#scheduler.catchUp(nowNs);
    const isAllDone = this.#scheduler.runCallbacks(nowNs, mostCallbacks);
    this.#wake = wake;
    if (!isAllDone || this.#isHeld !== null || this.#isStopping || this.#scheduler.isStopped) return false;
    this.#afterPass(stillRunning);
    return true;
  }

  /**
   * Runs until `stop` or until the machine stops itself. `afterPass` sees each pass's outcome, and is told when something was
   * done between two.
   */
  start(afterPass: (outcome: RunOutcome) => void = () => {}): Promise<void> {
    if (this.#finished === null) {
      this.#afterPass = afterPass;
      this.#finished = this.#loop();
    }
    return this.#finished;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#wake?.();
    await this.#finished;
  }

  async #loop(): Promise<void> {
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
      this.#afterPass(outcome);
      if (this.#scheduler.isStopped) return;
      isCut = outcome.reason === "done";
      if (isCut) {
        await new Promise((resolve) => setImmediate(resolve));
        continue;
      }
      if (this.#scheduler.nextTimeNs() > this.nowNs()) await this.#sleep();
    }
  }

  /**
   * Until something is due that is more than callbacks, or somebody wakes us. A pass costs turns of the host, callbacks cost
   * none: what is due a thousand times a second is done in the timer's own call.
   */
  #sleep(): Promise<void> {
    return new Promise((resolve) => {
      const awake = () => {
        clearTimeout(this.#timer);
        this.#wake = null;
      };
      this.#wake = () => {
        awake();
        setImmediate(resolve);
      };
      this.#fired = () => {
        if (this.#takesDue()) this.#arm();
        else {
          awake();
          resolve();
        }
      };
      this.#arm();
    });
  }

  /** Sets the alarm for what is due next. */
  #arm(): void {
    clearTimeout(this.#timer);
    const waitMs = (this.#scheduler.wakeTimeNs() - this.nowNs()) / 1e6 / this.#rate;
    const milliseconds = Math.max(0, Math.min(waitMs, longestSleepMs));
    this.#wakesAtNs = this.nowNs() + milliseconds * 1e6 * this.#rate;
    this.#timer = setTimeout(this.#fired, milliseconds);
  }
}
