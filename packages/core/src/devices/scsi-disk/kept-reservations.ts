// Reservations that outlive the power (APTPL): what is kept of them, and who keeps it. SPC-4 r37 §5.12.5.

import type { ReservationKey } from "../../codec/scsi/reservations.ts";

export interface KeptRegistration {
  /** Transport ID of the initiator port (SPC-4 §7.6.4), hexadecimal; empty for carriers that have none. */
  readonly transportId: string;
  readonly key: ReservationKey;
}

/** Everything that APTPL promises. */
export interface KeptReservations {
  readonly generation: number;
  readonly registrations: readonly KeptRegistration[];
  /** Null: nobody holds one. `holder`: which registration, -1 all of them. */
  readonly held: { readonly type: number; readonly holder: number } | null;
}

/** Keeps them where the disk's bytes are kept: beside an image. One for each unit. */
export interface ReservationKeeper {
  /** What was kept by whoever had the disk before; null: nothing, or nothing that can be believed. */
  readonly kept: KeptReservations | null;
  /** False: PTPL_C is 0, and APTPL is refused. */
  readonly canKeep: boolean;
  /**
   * In place of what is kept; null: nothing any more. `done` is told exactly once, never inside this call, as a step of
   * whoever runs the disk: true when a power loss cannot take it away any more. Not called again before that.
   */
  keep(state: KeptReservations | null, done: (isKept: boolean) => void): void;
}
