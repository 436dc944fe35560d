// One attempt after the other: what every importer does that keeps something of a server's.

import type { Clock, TimerHandle } from "../base/clock.ts";

/** One connection to a server, from connecting to its end. */
export interface Attempt {
  /** Ends it; its end is told like any other. */
  close(): void;
}

export interface KeptConnectionOptions {
  readonly clock: Clock;
  /** Why there is nothing now: a refusal, or the end of a connection. */
  readonly onProblem?: (reason: string) => void;
  /** Attempts after a refusal or an end come this much later; null: there is one attempt. Default null. */
  readonly retryNs?: number | null;
}

/** Begins at once. `begin` makes an attempt, which calls `onEnd` once, later. */
export class KeptConnection {
  readonly #options: KeptConnectionOptions;
  readonly #begin: (onEnd: (reason: string) => void) => Attempt;
  #attempt: Attempt | null = null;
  #timer: TimerHandle = 0;
  #isStopped = false;

  constructor(options: KeptConnectionOptions, begin: (onEnd: (reason: string) => void) => Attempt) {
    this.#options = options;
    this.#begin = begin;
    this.#try();
  }

  /** Ends the attempt under way, and makes no other. */
  stop(): void {
    this.#isStopped = true;
    this.#options.clock.cancel(this.#timer);
    this.#attempt?.close();
  }

  #try(): void {
    this.#timer = 0;
    this.#attempt = this.#begin((reason) => {
      this.#attempt = null;
      this.#options.onProblem?.(reason);
      const { retryNs, clock } = this.#options;
      if (this.#isStopped || retryNs === null || retryNs === undefined) return;
      this.#timer = clock.after(retryNs, () => this.#try(), undefined);
    });
  }
}
