// A run loop of an application's thread: events are delivered in it, one after the other, or not at all.

import type { Process } from "../../runtime/process.ts";

/** Streams and notifications are scheduled in one. Nothing comes while it does not run (accessory.md §2). */
export class RunLoop {
  readonly process: Process;
  readonly #events: (() => void)[] = [];
  #isRunning: boolean;
  #isDraining = false;

  /** The main thread's runs; a thread of one's own has one that runs when it is told to. */
  constructor(process: Process, isRunning = true) {
    this.process = process;
    this.#isRunning = isRunning;
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  run(): void {
    this.#isRunning = true;
    this.#drain();
  }

  /** Calls `event` later on the loop's thread, in order. */
  perform(event: () => void): void {
    this.#events.push(event);
    this.#drain();
  }

  #drain(): void {
    if (!this.#isRunning || this.#isDraining || this.#events.length === 0 || !this.process.isAlive) return;
    this.#isDraining = true;
    this.process.spawn("run loop", () => {
      this.#isDraining = false;
      const event = this.#events.shift();
      event?.();
      this.#drain();
    });
  }
}
