// The wall clock as a Clock: for protocol machines that run without a scheduler.

import type { Clock, TimerHandle } from "@drydock/core/base/clock";

/** Nanoseconds since it was made. Calls come from timers of the host, so order at one instant is the host's. */
export class RealClock implements Clock {
  readonly #originMs = performance.now();
  readonly #timers = new Map<number, NodeJS.Timeout>();
  #next = 1;

  nowNs(): number {
    return Math.floor((performance.now() - this.#originMs) * 1e6);
  }

  after<T>(delayNs: number, run: (argument: T) => void, argument: T): TimerHandle {
    const handle = this.#next++;
    const timer = setTimeout(() => {
      this.#timers.delete(handle);
      run(argument);
    }, delayNs / 1e6);
    this.#timers.set(handle, timer);
    return handle as TimerHandle;
  }

  cancel(handle: TimerHandle): void {
    clearTimeout(this.#timers.get(handle));
    this.#timers.delete(handle);
  }
}
