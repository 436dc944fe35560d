// Limits that need no memory beyond this process: asked before the database, forgotten with the minute.

/** Names beyond this are strangers' inventions: then the oldest minute is forgotten first. */
const mostNames = 20_000;

export class Rates {
  readonly #windowMs: number;
  #window = 0;
  readonly #used = new Map<string, number>();

  constructor(windowMs = 60_000) {
    this.#windowMs = windowMs;
  }

  /** Takes one of `most` in this window: 0, or the milliseconds until the next one. `now`: milliseconds UTC. */
  take(name: string, most: number, now: number): number {
    const window = Math.floor(now / this.#windowMs);
    if (window !== this.#window || this.#used.size >= mostNames) {
      this.#window = window;
      this.#used.clear();
    }
    const used = (this.#used.get(name) ?? 0) + 1;
    this.#used.set(name, used);
    return used <= most ? 0 : (window + 1) * this.#windowMs - now;
  }
}
