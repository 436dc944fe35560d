// What a MegaRAID controller can be told to do wrong, and at which of its commands.

export const raidMischiefKinds = [
  /** The context is posted twice. */
  "twice",
  /** Nothing is ever posted, and the frame keeps FFh. */
  "never",
  /** A context that nobody gave. */
  "wrong-context",
  /** The command fails: I/O failed. */
  "error",
  /** The firmware dies: state F. */
  "fault",
  /** The reply is there, its interrupt is not. */
  "lost-interrupt",
  /** A write to memory that is nobody's. */
  "stray-write",
  /** Events without end: each wait is answered at once. */
  "event-storm",
] as const;
export type RaidMischiefKind = (typeof raidMischiefKinds)[number];

export interface RaidMischief {
  readonly kind: RaidMischiefKind;
  /** Counts SCSI commands from 1. */
  readonly atCommand: number;
  /** For so many commands; default 1. */
  readonly count?: number;
}

export function raidMischiefAt(plan: readonly RaidMischief[], number: number): RaidMischiefKind | null {
  for (const { kind, atCommand, count = 1 } of plan)
    if (number >= atCommand && number < atCommand + count) return kind;
  return null;
}
