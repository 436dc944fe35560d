// Seeded chance: sfc32, a 32-bit generator that is fast on every engine and the same on every machine.

/**
 * A reproducible source of chance. One per concern: `fork(name)` gives an independent stream whose values depend only
 * on the seed and the name, so that a new consumer does not shift everybody else's draws.
 */
export class Random {
  readonly seed: number;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** `seed` is any safe non-negative integer; equal seeds give equal streams. */
  constructor(seed: number) {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new RangeError(`seed must be a non-negative integer below 2^53, got ${seed}`);
    }
    this.seed = seed;
    this.#a = seed >>> 0;
    this.#b = Math.floor(seed / 4294967296) >>> 0;
    this.#c = 0x9e3779b9;
    for (let round = 0; round < 12; round++) this.next32();
  }

  /** The next 32 bits as an unsigned number. */
  next32(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (this.#c << 21) | (this.#c >>> 11);
    this.#c = (this.#c + sum) | 0;
    return sum >>> 0;
  }

  /** An integer from 0 to `limit - 1`. `limit` is 1 to 2^32. */
  below(limit: number): number {
    return Math.floor((this.next32() / 4294967296) * limit);
  }

  /** An integer from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True with the given probability (0 to 1). */
  chance(probability: number): boolean {
    return this.next32() < probability * 4294967296;
  }

  /** An independent stream named `name`. */
  fork(name: string): Random {
    let hash = 2166136261;
    for (let index = 0; index < name.length; index++) {
      hash = Math.imul(hash ^ name.charCodeAt(index), 16777619);
    }
    const low = (this.seed ^ hash) >>> 0;
    const high = (Math.floor(this.seed / 4294967296) ^ (hash >>> 11)) & 0x1fffff;
    return new Random(high * 4294967296 + low);
  }
}
