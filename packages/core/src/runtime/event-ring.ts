// A trace that cannot lose lines silently: numbered events in columns (posts.md F17).

import type { Clock } from "../base/clock.ts";
import type { TraceHash } from "../base/hash.ts";
import { type Recorder, TimelineKind } from "../ports/recorder.ts";

/** Room for so many events at first; doubled until the capacity is reached. */
const firstEvents = 64;

export interface RingEvent {
  /** Contiguous from 0 over the life of the ring. */
  readonly sequence: number;
  readonly timeNs: number;
  readonly kind: string;
  readonly a: number;
  readonly b: number;
  readonly text: string;
}

/**
 * Bounded: when it is full the oldest events are overwritten and counted in `overwritten`, so that a reader knows
 * exactly what is missing. A gap in sequence numbers is therefore never a secret.
 */
export class EventRing {
  readonly #clock: Clock;
  readonly #capacity: number;
  readonly #recorder: Recorder | null;
  /** Columns grow with what is recorded: a machine that lives for a thousand steps pays for a thousand events. */
  #times = new Float64Array(firstEvents);
  #as = new Float64Array(firstEvents);
  #bs = new Float64Array(firstEvents);
  readonly #kinds: string[];
  readonly #texts: string[];
  #count = 0;

  /** Events go to `recorder` too, where their cause is kept. */
  constructor(clock: Clock, capacity = 1 << 18, recorder: Recorder | null = null) {
    this.#clock = clock;
    this.#capacity = capacity;
    this.#recorder = recorder;
    this.#kinds = [];
    this.#texts = [];
  }

  record(kind: string, a = 0, b = 0, text = ""): void {
    const at = this.#count % this.#capacity;
    if (at === this.#times.length) this.#grow();
    this.#times[at] = this.#clock.nowNs();
    this.#as[at] = a;
    this.#bs[at] = b;
    this.#kinds[at] = kind;
    this.#texts[at] = text;
    this.#count++;
    this.#recorder?.record(TimelineKind.event, text === "" ? kind : `${kind}: ${text}`, a, b);
  }

  /** Events recorded over the ring's life. */
  get total(): number {
    return this.#count;
  }

  /** Events that are no longer in the ring. */
  get overwritten(): number {
    return Math.max(0, this.#count - this.#capacity);
  }

  /** What is in the ring from `sequence` on, oldest first. */
  *events(sequence = 0): Generator<RingEvent> {
    for (let next = Math.max(sequence, this.overwritten); next < this.#count; next++) {
      const at = next % this.#capacity;
      yield {
        sequence: next,
        timeNs: this.#times[at],
        kind: this.#kinds[at],
        a: this.#as[at],
        b: this.#bs[at],
        text: this.#texts[at],
      };
    }
  }

  #grow(): void {
    const length = Math.min(this.#times.length * 2, this.#capacity);
    const grown = (column: Float64Array): Float64Array<ArrayBuffer> => {
      const copy = new Float64Array(length);
      copy.set(column);
      return copy;
    };
    this.#times = grown(this.#times);
    this.#as = grown(this.#as);
    this.#bs = grown(this.#bs);
  }

  /** Feeds what is in the ring to a digest. */
  hashInto(hash: TraceHash): void {
    for (const event of this.events()) {
      hash.number(event.timeNs);
      hash.text(event.kind);
      hash.number(event.a);
      hash.number(event.b);
      hash.text(event.text);
    }
  }
}
