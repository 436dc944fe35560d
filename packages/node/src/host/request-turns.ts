// Whose request is answered when: who asks ahead, or does not read his answers, waits until there is time.

/** Up to so many who ask ahead are no crowd: they have their turn at once. */
const crowdBeyond = 8;
/** Requests that may wait, of one who asks ahead and of all of them. */
const waitingOfOne = 64;
const waitingOfAll = 16_384;
/** Of the time, so much is theirs where they are a crowd: one part in nine. */
const restFactor = 8;
const shortestRestMs = 1;
/** How long one who does not read his answers is not looked at again, where nobody else has anything waiting. */
const unreadMs = 10;

/** One who asks, as a connection of HTTP is one. */
export interface Asker {
  /** The last one that was begun is not answered yet. */
  readonly isBusy: boolean;
  /** He has not read what he was answered before. */
  readonly isUnread: boolean;
}

/**
 * Who asks one thing after another, as all browsers do, is served at once. Of those that ask ahead (RFC 9112 §9.3.2) each
 * has a turn, one after another and with rests between; who does not read has none.
 */
export class RequestTurns<Key extends Asker> {
  readonly #waiting = new Map<Key, (() => void)[]>();
  readonly #nowMs: () => number;
  #count = 0;
  #isResting = false;

  /** `nowMs`: milliseconds of a clock that only goes forward. */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  get waitingCount(): number {
    return this.#count;
  }

  /** `serve` is called now, or when it is its turn. False: too much waits already, and the asker is to be let go. */
  asked(asker: Key, serve: () => void): boolean {
    const before = this.#waiting.get(asker);
    if (before === undefined && !asker.isBusy && !asker.isUnread) {
      serve();
      return true;
    }
    const waiting = before ?? [];
    if (waiting.length >= waitingOfOne || this.#count >= waitingOfAll) return false;
    if (before === undefined) this.#waiting.set(asker, waiting);
    waiting.push(serve);
    this.#count++;
    if (!this.#isResting) this.#rest(0);
    return true;
  }

  /** His connection is over: nothing of his is served any more. */
  left(asker: Key): void {
    this.#count -= this.#waiting.get(asker)?.length ?? 0;
    this.#waiting.delete(asker);
  }

  #rest(milliseconds: number): void {
    this.#isResting = true;
    if (milliseconds === 0) setImmediate(this.#goOn);
    else setTimeout(this.#goOn, milliseconds);
  }

  readonly #goOn = (): void => {
    this.#isResting = false;
    const begun = this.#nowMs();
    const isCrowd = this.#waiting.size > crowdBeyond;
    const wasServed = this.#serveOne();
    if (this.#waiting.size === 0) return;
    if (!wasServed) this.#rest(unreadMs);
    else this.#rest(isCrowd ? Math.max(shortestRestMs, restFactor * (this.#nowMs() - begun)) : 0);
  };

  /** The first of those that can take an answer; he goes to the end of the line. */
  #serveOne(): boolean {
    for (const [asker, waiting] of this.#waiting) {
      if (asker.isBusy || asker.isUnread) continue;
      this.#waiting.delete(asker);
      const serve = waiting.shift();
      this.#count--;
      if (waiting.length > 0) this.#waiting.set(asker, waiting);
      serve?.();
      return true;
    }
    return false;
  }
}
