// A row of the trace, as every message and every screen has it.

/** One row of the trace as its table shows it. */
export interface RowCells {
  readonly sequence: number;
  readonly timeNs: number;
  /** Since the row before it in the list. */
  readonly deltaNs: number;
  readonly kind: string;
  /** The driver call; empty when none is known. */
  readonly who: string;
  readonly what: string;
  /** "1.81": device and endpoint; empty above the wire. */
  readonly place: string;
  /** Bytes; null where a row has no length. */
  readonly length: number | null;
  readonly status: string;
  /** Something that went wrong: shown in its own colour, with its word. */
  readonly isBad: boolean;
  /** Of a folded run: the sequence of its last row. */
  readonly last?: number;
  /** The filter finds it, among rows that it does not find. */
  readonly isHit?: boolean;
}
