// Whether the spindle turns: START STOP UNIT, slow spin-up, ejecting.
// SBC-3 r36 §5.25, SPC-4 §5.11.

import type { Clock, Nanoseconds } from "../../base/clock.ts";
import { SenseCode } from "../../codec/scsi/sense.ts";

export const PowerState = { active: 0, spinningUp: 1, stopped: 2, standby: 3 } as const;
export type PowerState = (typeof PowerState)[keyof typeof PowerState];

export class UnitPower {
  readonly #clock: Clock;
  readonly #spinUpNs: Nanoseconds;
  readonly #startsSpinning: boolean;
  #state: PowerState = PowerState.active;
  #readyAtNs: Nanoseconds = 0;
  hasMedium = true;
  /** Times the spindle was started. */
  starts = 0;

  constructor(clock: Clock, spinUpNs: Nanoseconds, startsSpinning: boolean) {
    this.#clock = clock;
    this.#spinUpNs = spinUpNs;
    this.#startsSpinning = startsSpinning;
    this.powerOn();
  }

  powerOn(): void {
    this.#state = PowerState.stopped;
    if (this.#startsSpinning) this.start();
  }

  get state(): PowerState {
    if (this.#state === PowerState.spinningUp && this.#clock.nowNs() >= this.#readyAtNs)
      this.#state = PowerState.active;
    return this.#state;
  }

  /** True when the medium can be reached without waiting: the fast path's question. */
  get isReady(): boolean {
    return this.#state === PowerState.active && this.hasMedium;
  }

  /** Nanoseconds until it turns; 0 when it does. */
  start(): Nanoseconds {
    if (this.state === PowerState.active) return 0;
    if (this.#state !== PowerState.spinningUp) {
      this.starts++;
      this.#state = this.#spinUpNs > 0 ? PowerState.spinningUp : PowerState.active;
      this.#readyAtNs = this.#clock.nowNs() + this.#spinUpNs;
    }
    return this.waitNs;
  }

  get waitNs(): Nanoseconds {
    return this.state === PowerState.spinningUp ? this.#readyAtNs - this.#clock.nowNs() : 0;
  }

  stop(): void {
    this.#state = PowerState.stopped;
  }

  standby(): void {
    if (this.#state !== PowerState.stopped) this.#state = PowerState.standby;
  }

  /** 0 to 65535 of the way up. */
  get progress(): number {
    const done = this.#spinUpNs === 0 ? 1 : 1 - this.waitNs / this.#spinUpNs;
    return Math.min(65535, Math.floor(done * 65536));
  }

  /** Sense code of NOT READY, or 0. A unit in standby is ready: it turns when it is asked to. */
  get notReady(): number {
    if (!this.hasMedium) return SenseCode.mediumNotPresent;
    const state = this.state;
    if (state === PowerState.stopped) return SenseCode.initializingCommandRequired;
    return state === PowerState.spinningUp ? SenseCode.becomingReady : 0;
  }
}
