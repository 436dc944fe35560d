// The audio server's idea of a device's clock: zero timestamps in, a rate and a prediction out.

import { IOUserAudioClockAlgorithm } from "./audio-format.ts";
import type { ZeroTimestamp } from "./io-user-audio-clock-device.ts";

const second = 1e9;
const averaged = 12;
/** How much of a new measurement the simple filter takes over (what Apple's takes: unknown). */
const filterShare = 1 / 8;
/** A measured rate further off than this is a missing or doubled wrap and no crystal. */
const largestDeviation = 0.02;

/**
 * Between two timestamps the device is taken to run at the measured rate: nominal at first. `jumps` counts timestamps that
 * are not one period after the last, or whose rate no crystal has; they begin the measurement anew.
 */
export class AudioClock {
  jumps = 0;
  timestamps = 0;
  readonly #nominalNs: number;
  readonly #period: number;
  readonly #algorithm: number;
  readonly #window: number[] = [];
  #frameNs: number;
  #last: ZeroTimestamp | null = null;

  constructor(sampleRate: number, period: number, algorithm: number) {
    this.#nominalNs = second / sampleRate;
    this.#frameNs = this.#nominalNs;
    this.#period = period;
    this.#algorithm = algorithm;
  }

  get isRunning(): boolean {
    return this.#last !== null;
  }

  /** The device's rate as measured over the nominal one: 1 when both agree. */
  get rateScalar(): number {
    return this.#nominalNs / this.#frameNs;
  }

  add(timestamp: ZeroTimestamp): void {
    const last = this.#last;
    this.#last = timestamp;
    this.timestamps++;
    if (last === null) return;
    const measuredNs = (timestamp.hostTimeNs - last.hostTimeNs) / this.#period;
    const isStep = timestamp.sampleTime - last.sampleTime === this.#period;
    // The first timestamp is from the moment of the start, those that follow from interrupts: hardware that fills its buffers
    // first makes their distance no period.
    const isStart = isStep && this.timestamps === 2;
    if (isStart) return;
    if (!isStep || Math.abs(measuredNs / this.#nominalNs - 1) > largestDeviation) {
      this.jumps++;
      this.#window.length = 0;
      this.#frameNs = this.#nominalNs;
      return;
    }
    this.#frameNs = this.#filtered(measuredNs);
  }

  /** Frames that the device has played by then. */
  sampleAt(hostTimeNs: number): number {
    const { hostTimeNs: since, sampleTime } = this.#last ?? { hostTimeNs: 0, sampleTime: 0 };
    return sampleTime + (hostTimeNs - since) / this.#frameNs;
  }

  hostTimeOf(sampleTime: number): number {
    const { hostTimeNs, sampleTime: last } = this.#last ?? { hostTimeNs: 0, sampleTime: 0 };
    return hostTimeNs + (sampleTime - last) * this.#frameNs;
  }

  #filtered(measuredNs: number): number {
    if (this.#algorithm === IOUserAudioClockAlgorithm.Raw) return measuredNs;
    if (this.#algorithm === IOUserAudioClockAlgorithm.TwelvePtMovingWindowAverage) {
      this.#window.push(measuredNs);
      if (this.#window.length > averaged) this.#window.shift();
      return this.#window.reduce((sum, value) => sum + value, 0) / this.#window.length;
    }
    return this.#frameNs + (measuredNs - this.#frameNs) * filterShare;
  }
}
