// What the small adapter's firmware can be told to do wrong: P18's six ways with data, and how replies and life end.

/**
 * Ways in which data of a command to the host goes astray while the firmware is content (posts.md P18). Each leaves zeros
 * where the host looks.
 */
export const firmwareFaults = [
  /** The reply is posted first; the data follows when the host may have taken its memory back. */
  "replies-early",
  /** The data arrives, and the reply counts none of it. */
  "counts-nothing",
  /** The engine that writes is another function's: its requester id has no mappings. */
  "other-requester",
  /** The entry's address-space flag is not looked at: an address that is also one of its own is taken for that. */
  "local-address",
  /** The entry's address is read with its bytes in the other order. */
  "swapped-address",
  /** The data lands where the sense data of the command should. */
  "other-buffer",
] as const;
export type FirmwareFault = (typeof firmwareFaults)[number];

export const ringHbaMischiefKinds = ["twice", "never", "wrong-tag", "wrong-phase", "error", "fault"] as const;
/** `fault`: the firmware dies with the command in hand. */
export type RingHbaMischiefKind = (typeof ringHbaMischiefKinds)[number];

export interface RingHbaMischief {
  readonly kind: RingHbaMischiefKind;
  /** Counts commands from 1. */
  readonly atCommand: number;
}
