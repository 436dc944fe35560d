// How much a crowd of connections may move: what they ask for at once leaves time for those who ask for little.

import type { Clock } from "../base/clock.ts";
import { second } from "../base/units.ts";

/** Up to so many that move much at once are no crowd: they may have all there is. */
const crowdBeyond = 8;
const bytesPerSecond = 256 << 20;
/** What may be moved without a pause. */
const burstBytes = 1 << 20;

export class CrowdBudget {
  readonly #clock: Clock;
  #bytes = burstBytes;
  #countedNs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#countedNs = clock.nowNs();
  }

  /** `users`: how many move much now. True: it may be moved, and is counted. */
  take(bytes: number, users: number): boolean {
    if (users <= crowdBeyond) return true;
    const nowNs = this.#clock.nowNs();
    const gained = ((nowNs - this.#countedNs) / second) * bytesPerSecond;
    this.#bytes = Math.min(burstBytes, this.#bytes + gained);
    this.#countedNs = nowNs;
    if (this.#bytes <= 0) return false;
    this.#bytes -= bytes;
    return true;
  }

  /** How long until something may be moved again: at least a moment. */
  get waitNs(): number {
    return Math.max(second / 4096, Math.ceil((-this.#bytes / bytesPerSecond) * second));
  }
}
