// The MAC at the other end of a cable: obeys PAUSE, holding frames. IEEE 802.3-2018 annex 31B.

import type { Clock, TimerHandle } from "../base/clock.ts";
import { pauseNs, pauseOf } from "../codec/ethernet/pause.ts";
import type { FrameTaker } from "../ports/ethernet.ts";
import { FrameRing } from "./frame-ring.ts";

/** What a port of a small switch holds. */
const heldFrames = 512;

export interface EthernetPartnerOptions {
  readonly clock: Clock;
  /** Of the cable: a pause is so many bit times long. */
  readonly bitsPerSecond: number;
  /** The chip. */
  readonly to: FrameTaker;
}

/** Never calls the chip from inside a call of the chip's: what was held goes on in a turn of the clock. */
export class EthernetPartner implements FrameTaker {
  /** PAUSE frames that it obeyed, those of time 0 among them. */
  pauses = 0;
  /** Frames that found its memory full. */
  lostFrames = 0;
  readonly #options: EthernetPartnerOptions;
  readonly #held = new FrameRing(heldFrames);
  #isPaused = false;
  #timer: TimerHandle = 0;

  constructor(options: EthernetPartnerOptions) {
    this.#options = options;
  }

  /** True: this frame of the chip's was a PAUSE. It was obeyed, and goes no further. */
  obey(bytes: Uint8Array, offset: number, length: number): boolean {
    const quanta = pauseOf(bytes, offset, length, null);
    if (quanta === null) return false;
    this.pauses++;
    const { bitsPerSecond, clock } = this.#options;
    clock.cancel(this.#timer);
    this.#isPaused = quanta > 0;
    // Even without a pause in a turn of its own: the chip is in the middle of a call.
    this.#timer = clock.after(pauseNs(quanta, bitsPerSecond), this.#over, undefined);
    return true;
  }

  /** From behind it, to the chip. */
  frame(bytes: Uint8Array, offset: number, length: number): void {
    if (!this.#isPaused && this.#held.count === 0) this.#options.to.frame(bytes, offset, length);
    else if (!this.#held.push(bytes, offset, length)) this.lostFrames++;
  }

  /** The cable was pulled: what it held is lost. */
  clear(): void {
    this.#options.clock.cancel(this.#timer);
    this.#timer = 0;
    this.#isPaused = false;
    this.lostFrames += this.#held.count;
    this.#held.clear();
  }

  readonly #over = (): void => {
    this.#timer = 0;
    this.#isPaused = false;
    while (this.#held.count > 0 && !this.#isPaused) {
      this.#options.to.frame(this.#held.first, 0, this.#held.firstBytes);
      // The chip may have asked for silence, or the cable may have gone.
      if (this.#held.count > 0) this.#held.shift();
    }
  };
}
