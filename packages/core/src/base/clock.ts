// What anything timed may ask of time: now, later, never mind.

/** A duration or an instant in nanoseconds since the machine was switched on. Integer, below 2^53. */
export type Nanoseconds = number;

/** Identifies one pending call; 0 is never a live handle, so fields may start at 0. */
export type TimerHandle = number;

/**
 * The only source of time inside core. The virtual clock, the scheduler and the real clock of a host implement it.
 *
 * `after` never calls `run` inside itself, not even for a delay of 0. Calls at the same instant run in an order
 * chosen by the implementation (first come first served, or by seed): code that needs an order keeps its own queue.
 */
export interface Clock {
  /** Nanoseconds since switch-on. Never goes back. */
  nowNs(): Nanoseconds;
  /** Calls `run(argument)` once, `delayNs` from now. The pair avoids a closure per event on hot paths. */
  after<T>(delayNs: Nanoseconds, run: (argument: T) => void, argument: T): TimerHandle;
  /**
   * What led to the code that runs now: the sequence of a row of the timeline, 0 when nothing is known. What `after` was
   * given runs with the cause of the moment in which it was given, so that a cause travels with the work. Whoever records a
   * row may set it for what follows from the row.
   */
  cause: number;
  /**
   * Of a pending call: nobody minds when it comes `byNs` after its instant. Virtual time makes no difference, order and
   * instants stay as they are; who follows the wall may sleep longer and do several calls in one go. A clock without it is
   * always in time.
   */
  mayBeLate?(handle: TimerHandle, byNs: Nanoseconds): void;
  /** Forgets a pending call. A handle that has run, was cancelled or is 0 is ignored. */
  cancel(handle: TimerHandle): void;
}
