// Who may have one of a few sessions next: some are kept for those in a hurry, and each kind waits in order.

import { AsyncLocalStorage } from "node:async_hooks";

/** Set for everything that is done within `urgently`, through every await. */
const hurry = new AsyncLocalStorage<true>();

/** What somebody changes: neither it nor what it reads before waits for a session behind those who only read. */
export const urgently = <T>(act: () => Promise<T>): Promise<T> => hurry.run(true, act);

export class SessionGate {
  #free: number;
  readonly #kept: number;
  readonly #hurried: (() => void)[] = [];
  readonly #others: (() => void)[] = [];

  /** `kept` of the `sessions` are for those in a hurry alone. */
  constructor(sessions: number, kept: number) {
    this.#free = sessions;
    this.#kept = kept;
  }

  /** Resolves when a session may be taken, with what gives it back: to be called once. */
  enter(): Promise<() => void> {
    const waiting = hurry.getStore() === true ? this.#hurried : this.#others;
    return new Promise((resolve) => {
      waiting.push(() => resolve(() => this.#leave()));
      this.#admit();
    });
  }

  #leave(): void {
    this.#free++;
    this.#admit();
  }

  #admit(): void {
    while (this.#free > 0) {
      const next = this.#hurried.shift() ?? (this.#free > this.#kept ? this.#others.shift() : undefined);
      if (next === undefined) return;
      this.#free--;
      next();
    }
  }
}
