// Virtual time: a binary heap of pending calls in typed arrays. Nothing happens between events.

import type { Clock, Nanoseconds, TimerHandle } from "./clock.ts";

/**
 * Pending calls ordered by (time, order of arrival). A handle is a slot and its generation, so cancelling is O(1):
 * the slot is marked empty and the heap entry is skipped when it surfaces (node-performance.md §5).
 */
export class VirtualClock implements Clock {
  cause = 0;
  #now: Nanoseconds = 0;
  #size = 0;
  #sequence = 0;
  #times = new Float64Array(64);
  #sequences = new Float64Array(64);
  #slots = new Int32Array(64);
  #runs: (((argument: unknown) => void) | null)[] = [];
  #arguments: unknown[] = [];
  readonly #causes: number[] = [];
  /** By slot: how late it may be. */
  readonly #patience: Nanoseconds[] = [];
  /** No pending call may be late, for all that is known. */
  #isStrict = true;
  #generations: number[] = [];
  #free: number[] = [];
  #live = 0;

  nowNs(): Nanoseconds {
    return this.#now;
  }

  /** Calls pending and not cancelled. */
  get pending(): number {
    return this.#live;
  }

  after<T>(delayNs: Nanoseconds, run: (argument: T) => void, argument: T): TimerHandle {
    if (!(delayNs >= 0)) throw new RangeError(`delay must not be negative: ${delayNs}`);
    let slot: number;
    if (this.#free.length > 0) slot = this.#free.pop() as number;
    else {
      slot = this.#runs.length;
      this.#generations.push(1);
      this.#runs.push(null);
      this.#arguments.push(null);
    }
    this.#runs[slot] = run as (argument: unknown) => void;
    this.#arguments[slot] = argument;
    this.#causes[slot] = this.cause;
    this.#patience[slot] = 0;
    this.#live++;
    this.#push(this.#now + delayNs, slot);
    return this.#generations[slot] * 1048576 + slot;
  }

  mayBeLate(handle: TimerHandle, byNs: Nanoseconds): void {
    const slot = handle % 1048576;
    if (handle === 0 || this.#generations[slot] !== Math.floor(handle / 1048576)) return;
    this.#patience[slot] = byNs;
    if (byNs > 0) this.#isStrict = false;
  }

  cancel(handle: TimerHandle): void {
    const slot = handle % 1048576;
    if (handle === 0 || this.#generations[slot] !== Math.floor(handle / 1048576)) return;
    this.#runs[slot] = null;
    this.#arguments[slot] = null;
    this.#generations[slot]++;
    this.#live--;
  }

  /** When the next call is due, or Infinity. */
  nextTimeNs(): Nanoseconds {
    while (this.#size > 0 && this.#runs[this.#slots[0]] === null) this.#dropTop();
    return this.#size > 0 ? this.#times[0] : Number.POSITIVE_INFINITY;
  }

  /** Until when somebody who follows the wall may sleep, or Infinity: the first call that may not be later. */
  wakeTimeNs(): Nanoseconds {
    const next = this.nextTimeNs();
    if (this.#isStrict) return next;
    let wake = Number.POSITIVE_INFINITY;
    this.#isStrict = true;
    for (let at = 0; at < this.#size; at++) {
      const slot = this.#slots[at];
      if (this.#runs[slot] === null) continue;
      const patience = this.#patience[slot];
      if (patience > 0) this.#isStrict = false;
      wake = Math.min(wake, this.#times[at] + patience);
    }
    return wake;
  }

  /** Moves time to the next call and runs it. False when nothing is pending or it lies beyond `limitNs`. */
  step(limitNs: Nanoseconds = Number.POSITIVE_INFINITY): boolean {
    const time = this.nextTimeNs();
    if (time === Number.POSITIVE_INFINITY || time > limitNs) return false;
    this.#now = time;
    const slot = this.#slots[0];
    const run = this.#runs[slot] as (argument: unknown) => void;
    const argument = this.#arguments[slot];
    this.#runs[slot] = null;
    this.#arguments[slot] = null;
    this.#generations[slot]++;
    this.#live--;
    this.#dropTop();
    this.cause = this.#causes[slot];
    run(argument);
    return true;
  }

  /**
   * Takes every call due at the next instant out of the heap, hands each to `collect` in order of arrival and moves
   * time there. For the scheduler, which chooses the order itself. Returns how many were due.
   */
  takeNextInstant(limitNs: Nanoseconds, collect: (handle: TimerHandle) => void): number {
    const time = this.nextTimeNs();
    if (time === Number.POSITIVE_INFINITY || time > limitNs) return 0;
    this.#now = time;
    let count = 0;
    while (this.#size > 0 && this.#times[0] === time) {
      const slot = this.#slots[0];
      if (this.#runs[slot] === null) {
        this.#dropTop();
        continue;
      }
      this.#dropTopKeepSlot();
      collect(this.#generations[slot] * 1048576 + slot);
      count++;
    }
    return count;
  }

  /** One call alone is due at the next instant, by `limitNs`: `step` is all there is to do, and nothing to choose. */
  isNextAlone(limitNs: Nanoseconds): boolean {
    const time = this.nextTimeNs();
    if (time === Number.POSITIVE_INFINITY || time > limitNs) return false;
    // The earliest but one is a child of the top; one that was cancelled counts here, which only costs the longer way.
    return !(this.#size > 1 && this.#times[1] === time) && !(this.#size > 2 && this.#times[2] === time);
  }

  /** Runs a call taken by takeNextInstant, unless it was cancelled meanwhile. */
  runTaken(handle: TimerHandle): void {
    const slot = handle % 1048576;
    if (this.#generations[slot] !== Math.floor(handle / 1048576)) {
      this.#free.push(slot);
      return;
    }
    const run = this.#runs[slot] as (argument: unknown) => void;
    const argument = this.#arguments[slot];
    this.#runs[slot] = null;
    this.#arguments[slot] = null;
    this.#generations[slot]++;
    this.#live--;
    this.#free.push(slot);
    this.cause = this.#causes[slot];
    run(argument);
  }

  /** Moves time forward without running anything; never past the next pending call. */
  advanceTo(timeNs: Nanoseconds): void {
    const limit = Math.min(timeNs, this.nextTimeNs());
    if (limit > this.#now) this.#now = limit;
  }

  /** Runs calls in order until none is due at or before `limitNs`; then time stands at `limitNs` if that is finite. */
  runUntil(limitNs: Nanoseconds = Number.POSITIVE_INFINITY): void {
    while (this.step(limitNs));
    if (limitNs !== Number.POSITIVE_INFINITY && limitNs > this.#now) this.#now = limitNs;
  }

  #push(time: Nanoseconds, slot: number): void {
    if (this.#size === this.#times.length) this.#grow();
    const times = this.#times;
    const sequences = this.#sequences;
    const slots = this.#slots;
    const sequence = this.#sequence++;
    let at = this.#size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (times[parent] <= time) break;
      times[at] = times[parent];
      sequences[at] = sequences[parent];
      slots[at] = slots[parent];
      at = parent;
    }
    times[at] = time;
    sequences[at] = sequence;
    slots[at] = slot;
  }

  #dropTop(): void {
    this.#free.push(this.#slots[0]);
    this.#dropTopKeepSlot();
  }

  #dropTopKeepSlot(): void {
    const times = this.#times;
    const sequences = this.#sequences;
    const slots = this.#slots;
    const last = --this.#size;
    if (last === 0) return;
    const time = times[last];
    const sequence = sequences[last];
    const slot = slots[last];
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= last) break;
      const right = child + 1;
      if (
        right < last &&
        (times[right] < times[child] ||
          (times[right] === times[child] && sequences[right] < sequences[child]))
      ) {
        child = right;
      }
      if (times[child] > time || (times[child] === time && sequences[child] > sequence)) break;
      times[at] = times[child];
      sequences[at] = sequences[child];
      slots[at] = slots[child];
      at = child;
    }
    times[at] = time;
    sequences[at] = sequence;
    slots[at] = slot;
  }

  #grow(): void {
    const length = this.#times.length * 2;
    const times = new Float64Array(length);
    times.set(this.#times);
    this.#times = times;
    const sequences = new Float64Array(length);
    sequences.set(this.#sequences);
    this.#sequences = sequences;
    const slots = new Int32Array(length);
    slots.set(this.#slots);
    this.#slots = slots;
  }
}
