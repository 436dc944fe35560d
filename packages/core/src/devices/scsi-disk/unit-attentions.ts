// Unit attention conditions: what each initiator has not been told yet. SAM-5 r21 §5.14.

import { SenseCode } from "../../codec/scsi/sense.ts";

/** Conditions kept per initiator; when there are more, the oldest stand for all. */
const queueMaximum = 8;

export class UnitAttentions {
  /** By initiator number; null until it is heard of. */
  readonly #queues: (number[] | null)[] = [];
  #pending = 0;

  /** True when an initiator other than the known ones, or one with something to hear, may come. */
  isQuietFor(initiator: number): boolean {
    const queue = this.#queues[initiator];
    return queue !== undefined && queue !== null && queue.length === 0;
  }

  get pending(): number {
    return this.#pending;
  }

  /** First contact: the unit was switched on since this initiator last looked. */
  meet(initiator: number): void {
    while (this.#queues.length <= initiator) this.#queues.push(null);
    if (this.#queues[initiator] !== null) return;
    this.#queues[initiator] = [SenseCode.powerOnResetOrBusReset];
    this.#pending++;
  }

  raiseFor(initiator: number, code: number): void {
    const queue = this.#queues[initiator];
    if (queue === undefined || queue === null || queue.includes(code) || queue.length >= queueMaximum) return;
    queue.push(code);
    this.#pending++;
  }

  /** For everybody who is known, except `except`. */
  raise(code: number, except = -1): void {
    for (let initiator = 0; initiator < this.#queues.length; initiator++)
      if (initiator !== except) this.raiseFor(initiator, code);
  }

  /** A reset: takes the place of whatever was pending. */
  replaceAll(code: number): void {
    for (const queue of this.#queues) {
      if (queue === null) continue;
      this.#pending += 1 - queue.length;
      queue.length = 0;
      queue.push(code);
    }
  }

  /** The next condition for `initiator`, which is told it now; 0 for none. */
  take(initiator: number): number {
    const code = this.#queues[initiator]?.shift();
    if (code === undefined) return 0;
    this.#pending--;
    return code;
  }

  /** The same without taking it away. */
  peek(initiator: number): number {
    return this.#queues[initiator]?.[0] ?? 0;
  }
}
