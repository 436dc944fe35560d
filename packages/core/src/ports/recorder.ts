// The recorder: where the runtime and the wrappers of ports say what happened, and what led to it.

/**
 * Kinds of rows. A new kind is a number here and a file in `trace/kinds/` that says what its fields mean and how it reads.
 * The numbers are part of saved timelines and never change.
 */
export const TimelineKind = {
  usb: 1,
  /** A remark between transfers. */
  mark: 2,
  fault: 3,
  /** A call of a driver or an application into a framework. */
  call: 4,
  log: 5,
  /** What the kernel did: launches, matches, terminations, panics. */
  event: 6,
  /** Work began on a dispatch queue. */
  hop: 7,
  power: 8,
  register: 9,
  dma: 10,
  interrupt: 11,
  /** A frame on a network cable. */
  ethernet: 12,
  /** A thread waits for what another one holds, or goes on; of a row that goes on, `a` is the row that waits. */
  wait: 13,
} as const;
export type TimelineKind = (typeof TimelineKind)[keyof typeof TimelineKind];

/** Words of the rows of a wait, after the name of the thread's lane. */
export const waitWords = { begin: ": waits for ", end: ": goes on" };

/**
 * Who records rows of the machine. `record` dates the row now, gives it the cause that the clock carries, and answers its
 * sequence, so that what follows can name it as its cause. Called on hot paths: it allocates nothing and never throws.
 */
export interface Recorder {
  record(kind: TimelineKind, text: string, a?: number, b?: number, c?: number): number;
}
