// What a broken NVMe controller does, by the number of the I/O command: for drivers that must stay in their contract.

/**
 * `wrong-phase`: the entry is invisible. `wrong-id`, `wrong-queue`: a completion of nothing. `duplicate`: completed twice.
 * `head-stuck`: the submission head does not move. `lost-interrupt`. `silent`: never completed. `fatal`: CSTS.CFS.
 * `stray-write`, `stray-read`: memory accesses to anywhere. `error`: status 280h without do-not-retry. `final-error`: with it.
 */
export const nvmeMischiefKinds = [
  "wrong-phase",
  "wrong-id",
  "wrong-queue",
  "duplicate",
  "head-stuck",
  "lost-interrupt",
  "silent",
  "fatal",
  "stray-write",
  "stray-read",
  "error",
  "final-error",
] as const;
export type NvmeMischiefKind = (typeof nvmeMischiefKinds)[number];

export interface NvmeMischief {
  readonly kind: NvmeMischiefKind;
  /** The first I/O command it befalls, counted from 1 since power-on. */
  readonly atCommand: number;
  /** How many in a row; default 1. */
  readonly count?: number;
}

/** The plan's word about one command; null: nothing happens. */
export function mischiefAt(plan: readonly NvmeMischief[], command: number): NvmeMischiefKind | null {
  for (const { kind, atCommand, count = 1 } of plan)
    if (command >= atCommand && command < atCommand + count) return kind;
  return null;
}
