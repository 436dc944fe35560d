// Persistent reservations beside an image (APTPL): they are there again for the next server. SPC-4 §5.12.5.

import type { KeptReservations, ReservationKeeper } from "@drydock/core/devices/scsi-disk/kept-reservations";
import type { StepTaker } from "../host/ordered-steps.ts";
import { type BesideImage, isRecord } from "./beside-image.ts";

const registrationMaximum = 256;
const transportIdMaximum = 512;

export class ImageReservations implements ReservationKeeper {
  readonly kept: KeptReservations | null;
  readonly canKeep: boolean;
  /** What whoever starts a server has to know; null: all is well. */
  readonly note: string | null;
  /** Who runs the disk: answers arrive as its steps. */
  steps: StepTaker | null = null;
  readonly #beside: BesideImage;
  readonly #onTrouble: (text: string) => void;

  constructor(beside: BesideImage, options: { isReadOnly: boolean; onTrouble: (text: string) => void }) {
    this.#beside = beside;
    this.#onTrouble = options.onTrouble;
    const state = beside.read();
    const content = state.kind === "ours" ? readKept(state.content) : null;
    this.kept = content;
    const problem =
      state.kind === "none" || content !== null
        ? null
        : state.kind === "ours"
          ? "is damaged (what it says cannot be)"
          : `is ${state.kind} (${state.why})`;
    this.note =
      problem === null
        ? null
        : `${beside.path} ${problem}: nothing of it is believed, it stays as it is, and reservations do not outlive this server until it is moved away`;
    this.canKeep = problem === null && !options.isReadOnly;
  }

  keep(state: KeptReservations | null, done: (isKept: boolean) => void): void {
    const tell = (isKept: boolean): void => {
      if (this.steps === null) done(isKept);
      else this.steps.ready(done, isKept);
    };
    this.#beside.replace(state).then(
      () => tell(true),
      (error: Error) => {
        this.#onTrouble(`${this.#beside.path}: reservations could not be kept (${error.message})`);
        tell(false);
      },
    );
  }
}

/** Null: this is nothing that was ever kept. */
function readKept(content: unknown): KeptReservations | null {
  if (!isRecord(content)) return null;
  const { generation, registrations, held } = content;
  if (!Number.isSafeInteger(generation) || (generation as number) < 0) return null;
  if (!Array.isArray(registrations) || registrations.length < 1 || registrations.length > registrationMaximum)
    return null;
  for (const entry of registrations) {
    if (!isRecord(entry) || typeof entry.key !== "string" || typeof entry.transportId !== "string")
      return null;
    if (!/^[0-9a-f]{16}$/.test(entry.key) || /^0+$/.test(entry.key)) return null;
    if (!/^([0-9a-f]{2})*$/.test(entry.transportId) || entry.transportId.length > 2 * transportIdMaximum)
      return null;
  }
  if (held !== null) {
    if (!isRecord(held) || ![1, 3, 5, 6, 7, 8].includes(held.type as number)) return null;
    const holder = held.holder as number;
    if (!Number.isInteger(holder) || holder >= registrations.length) return null;
    // All registrants hold the last two types, one of them the others.
    if ((held.type as number) >= 7 ? holder !== -1 : holder < 0) return null;
  }
  return content as unknown as KeptReservations;
}
