// The real clock as core sees one: for protocol machines and disks that need no scheduler.

import type { Clock, Nanoseconds, TimerHandle } from "@drydock/core/base/clock";
import { VirtualClock } from "@drydock/core/base/virtual-clock";

const longestSleepMs = 1 << 30;

/**
 * Calls that are due run in order, either when the host's event loop comes round, or at once when somebody who
 * brings work in comes through `ready`: a socket's turn then reads, serves and answers without another one.
 */
export class HostClock implements Clock {
  readonly #events = new VirtualClock();
  readonly #originMs = performance.now();
  #immediate: NodeJS.Immediate | null = null;
  #timer: NodeJS.Timeout | null = null;
  #timerAtNs = Number.POSITIVE_INFINITY;
  #isPumping = false;
  #isStopped = false;

  nowNs(): Nanoseconds {
    return Math.floor((performance.now() - this.#originMs) * 1e6);
  }

  get cause(): number {
    return this.#events.cause;
  }

  set cause(sequence: number) {
    this.#events.cause = sequence;
  }

  after<T>(delayNs: Nanoseconds, run: (argument: T) => void, argument: T): TimerHandle {
    // What is due now needs no look at the time.
    if (delayNs > 0) this.#events.advanceTo(this.nowNs());
    const handle = this.#events.after(delayNs, run, argument);
    if (!this.#isPumping) this.#arrange(delayNs);
    return handle;
  }

  cancel(handle: TimerHandle): void {
    this.#events.cancel(handle);
  }

  /** Runs it now, then all that it made due: how sockets hand over what came (socket-stream.ts). */
  ready<T>(run: (argument: T) => void, argument: T): void {
    run(argument);
    this.pump();
  }

  /** Runs what is due. Not from inside a call of a port or a stream: completions come from here. */
  readonly pump = (): void => {
    if (this.#isPumping || this.#isStopped) return;
    this.#isPumping = true;
    try {
      this.#events.runUntil(this.nowNs());
    } finally {
      this.#isPumping = false;
    }
    const next = this.#events.nextTimeNs();
    if (next !== Number.POSITIVE_INFINITY) this.#arrange(next - this.nowNs());
  };

  /** Nothing runs any more. */
  stop(): void {
    this.#isStopped = true;
    if (this.#immediate !== null) clearImmediate(this.#immediate);
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #arrange(delayNs: number): void {
    if (this.#isStopped) return;
    if (delayNs <= 0) {
      this.#immediate ??= setImmediate(() => {
        this.#immediate = null;
        this.pump();
      });
      return;
    }
    const atNs = this.nowNs() + delayNs;
    if (atNs >= this.#timerAtNs) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timerAtNs = atNs;
    // A pending call keeps no program alive: whoever listens does.
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        this.#timerAtNs = Number.POSITIVE_INFINITY;
        this.pump();
      },
      Math.min(Math.ceil(delayNs / 1e6), longestSleepMs),
    ).unref();
  }
}
