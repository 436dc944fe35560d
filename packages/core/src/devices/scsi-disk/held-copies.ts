// What became of third-party copies, kept until it is asked for. SPC-4 r37 §6.24.2.

import type { CopyStatus } from "../../codec/scsi/third-party-copy.ts";

/** Copies whose results are held. */
const heldMaximum = 16;

/** Results by list identifier, for the initiator that asked: what RECEIVE COPY STATUS tells. */
export class HeldCopies {
  readonly #held = new Map<string, CopyStatus>();

  keep(initiator: number, listId: number, status: CopyStatus): void {
    const key = `${initiator} ${listId}`;
    this.#held.delete(key);
    this.#held.set(key, status);
    const [oldest] = this.#held.keys();
    if (this.#held.size > heldMaximum && oldest !== undefined) this.#held.delete(oldest);
  }

  /** Told once (§6.24.2); null: nothing is held. */
  take(initiator: number, listId: number): CopyStatus | null {
    const key = `${initiator} ${listId}`;
    const status = this.#held.get(key) ?? null;
    this.#held.delete(key);
    return status;
  }

  forget(initiator: number): void {
    for (const key of this.#held.keys()) if (key.startsWith(`${initiator} `)) this.#held.delete(key);
  }
}
