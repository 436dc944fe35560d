// Whose input is heard when: in a crowd light clients first, and the event loop comes round between.

/** Up to so many who share a listener are no crowd: all are heard at once. */
const crowdBeyond = 32;
/** So long, in milliseconds, before the event loop looks who has come meanwhile. */
const sliceMs = 1;
/** What an input costs of one of whom nothing is known yet. */
const unknownMs = 1;
/** Whose inputs cost less on the average is heard before others. */
const lightMs = 0.5;
/** Of the average, so much is the last input. */
const lastPart = 0.25;
/** Of so many that are heard from the queues, one is the first of the heavy ones: nobody waits for ever. */
const heavyEvery = 4;

/** One client, as the turns know it. Its own: `Turn` of one stream. */
export interface Turn {
  /** What its inputs cost on the average, milliseconds. */
  costMs: number;
  /** What is to be heard, or null: nothing waits. */
  hear: (() => void) | null;
}

export function newTurn(): Turn {
  return { costMs: unknownMs, hear: null };
}

export interface InputTurnsOptions {
  /** Milliseconds of a clock that only goes forward. */
  readonly nowMs?: () => number;
  /** Calls when the event loop has come round. Default: `setImmediate`. */
  readonly later?: (call: () => void) => void;
}

/**
 * The inputs of a listener's clients. Who asks for a little is not behind a thousand who ask for much, or who have only
 * just come: their inputs are heard one by one, a millisecond of them in a turn of the event loop.
 */
export class InputTurns {
  readonly #nowMs: () => number;
  readonly #later: (call: () => void) => void;
  readonly #light = new Set<Turn>();
  readonly #heavy = new Set<Turn>();
  #spentMs = 0;
  #heard = 0;
  #isAsked = false;

  constructor(options: InputTurnsOptions = {}) {
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#later = options.later ?? setImmediate;
  }

  /** So many clients are no crowd, and nobody waits: there are no turns. */
  isCalm(count: number): boolean {
    return count <= crowdBeyond && this.#light.size + this.#heavy.size === 0;
  }

  /** Hears an input of the client now (true) or later (false): until then the client brings no other. */
  came(turn: Turn, hear: () => void): boolean {
    if (turn.costMs < lightMs && this.#spentMs < sliceMs) {
      this.#listen(turn, hear);
      return true;
    }
    turn.hear = hear;
    (turn.costMs < lightMs ? this.#light : this.#heavy).add(turn);
    this.#ask();
    return false;
  }

  /** The client ends: what waits is heard now, before its end is. */
  left(turn: Turn): void {
    if (turn.hear === null) return;
    this.#light.delete(turn);
    this.#heavy.delete(turn);
    this.#listen(turn, turn.hear);
  }

  #listen(turn: Turn, hear: () => void): void {
    turn.hear = null;
    const begunMs = this.#nowMs();
    try {
      hear();
    } finally {
      const costMs = this.#nowMs() - begunMs;
      this.#spentMs += costMs;
      turn.costMs += (costMs - turn.costMs) * lastPart;
      this.#ask();
    }
  }

  #ask(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    this.#later(this.#goOn);
  }

  readonly #goOn = (): void => {
    this.#isAsked = false;
    this.#spentMs = 0;
    do {
      const isHeavysTurn = ++this.#heard % heavyEvery === 0;
      const [light] = this.#light;
      const [heavy] = this.#heavy;
      const turn = isHeavysTurn ? (heavy ?? light) : (light ?? heavy);
      if (turn?.hear == null) return;
      (turn === light ? this.#light : this.#heavy).delete(turn);
      this.#listen(turn, turn.hear);
    } while (this.#spentMs < sliceMs);
  };
}
