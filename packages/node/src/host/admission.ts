// Who comes to a listener is let in at a rate that leaves time for those who are inside.

/** So many may come at once, as after a restart of all clients. */
const burst = 32;
/** Then so many each time: a loop that is slow already lets in fewer a second, and is not made slower by those that wait. */
const usualPace: Pace = { atOnce: 2, everyMs: 2 };
/** So many wait at the door; beyond that the one that has waited longest goes. */
const waitingMaximum = 4096;

export interface Pace {
  readonly atOnce: number;
  readonly everyMs: number;
}

export interface AdmissionOptions<Guest> {
  readonly letIn: (guest: Guest) => void;
  readonly turnAway: (guest: Guest) => void;
  /** Default: a thousand a second. */
  readonly pace?: Pace;
  /** Milliseconds of a clock that only goes forward. */
  readonly nowMs?: () => number;
}

/** In the order in which they came: at once while few come, else at a pace. */
export class Admission<Guest> {
  readonly #options: AdmissionOptions<Guest>;
  readonly #nowMs: () => number;
  readonly #pace: Pace;
  readonly #waiting = new Set<Guest>();
  #places = burst;
  #countedMs: number;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: AdmissionOptions<Guest>) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#countedMs = this.#nowMs();
    this.#pace = options.pace ?? usualPace;
  }

  came(guest: Guest): void {
    if (this.#waiting.size === 0) this.#count();
    if (this.#waiting.size === 0 && this.#places >= 1) {
      this.#places--;
      this.#options.letIn(guest);
      return;
    }
    const [first] = this.#waiting;
    if (this.#waiting.size >= waitingMaximum && first !== undefined) {
      this.#waiting.delete(first);
      this.#options.turnAway(first);
    }
    this.#waiting.add(guest);
    this.#timer ??= setInterval(this.#letSomeIn, this.#pace.everyMs);
  }

  /** It has gone by itself, wherever it was. */
  left(guest: Guest): void {
    this.#waiting.delete(guest);
  }

  close(): void {
    this.#waiting.clear();
    this.#rest();
  }

  readonly #letSomeIn = (): void => {
    // What has been missed is not made up for.
    this.#places = Math.min(this.#places, 0) + this.#pace.atOnce;
    this.#countedMs = this.#nowMs();
    for (const guest of this.#waiting) {
      if (this.#places < 1) return;
      this.#places--;
      this.#waiting.delete(guest);
      this.#options.letIn(guest);
    }
    if (this.#waiting.size === 0) this.#rest();
  };

  #rest(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #count(): void {
    const now = this.#nowMs();
    const { atOnce, everyMs } = this.#pace;
    this.#places = Math.min(burst, this.#places + ((now - this.#countedMs) / everyMs) * atOnce);
    this.#countedMs = now;
  }
}
