// The codec behind AC'97's link: the mixer's registers, rates, and what its volumes make of samples.

import {
  Ac97Mixer,
  ac97Mute,
  ac97PcmUnity,
  ac97VariableRate,
  ac97VolumeMask,
} from "../../codec/ac97/ac97.ts";

const usualRate = 48000;
const slowestRate = 4000;
/** Decibels of a step of any volume. */
const stepDecibel = 1.5;
const pcmUnity = ac97PcmUnity & 0x1f;

/** As after a cold reset: everything muted (§5.7), the codec powered, its vendor SigmaTel's STAC9700. */
const resetValues: readonly (readonly [register: number, value: number])[] = [
  [Ac97Mixer.masterVolume, 0x8000],
  [Ac97Mixer.pcmOutVolume, 0x8808],
  [Ac97Mixer.recordGain, 0x8808],
  [Ac97Mixer.power, 0x000f],
  [Ac97Mixer.extendedId, 0x0809],
  [Ac97Mixer.frontRate, usualRate],
  [Ac97Mixer.adcRate, usualRate],
  [Ac97Mixer.vendor1, 0x8384],
  [Ac97Mixer.vendor2, 0x7600],
];
const readOnly: ReadonlySet<number> = new Set([Ac97Mixer.extendedId, Ac97Mixer.vendor1, Ac97Mixer.vendor2]);
const rates: ReadonlySet<number> = new Set([Ac97Mixer.frontRate, Ac97Mixer.adcRate]);
const volumes: ReadonlySet<number> = new Set([
  Ac97Mixer.masterVolume,
  Ac97Mixer.pcmOutVolume,
  Ac97Mixer.recordGain,
]);

/** 128 bytes of registers; `play` is what the converter makes of a frame. */
export class Ac97MixerModel {
  readonly #registers = new Uint16Array(64);
  /** Factors of left and right; null: as they are. */
  #gains: readonly [left: number, right: number] | null = null;
  #isSilent = true;

  constructor() {
    this.reset();
  }

  reset(): void {
    this.#registers.fill(0);
    for (const [register, value] of resetValues) this.#registers[register >> 1] = value;
    this.#volumesChanged();
  }

  read(register: number): number {
    return this.#registers[register >> 1] ?? 0xffff;
  }

  write(register: number, value: number): void {
    if (register === Ac97Mixer.reset) {
      this.reset();
      return;
    }
    if (readOnly.has(register)) return;
    if (rates.has(register)) {
      // Without the variable-rate bit the register stays at 48 kHz (§A.2.3).
      const isVariable = (this.read(Ac97Mixer.extendedControl) & ac97VariableRate) !== 0;
      this.#registers[register >> 1] = isVariable
        ? Math.max(slowestRate, Math.min(usualRate, value))
        : usualRate;
      return;
    }
    if (register === Ac97Mixer.extendedControl) {
      this.#registers[register >> 1] = value & ac97VariableRate;
      if ((value & ac97VariableRate) === 0) for (const rate of rates) this.#registers[rate >> 1] = usualRate;
      return;
    }
    // The lower half of the power register says what is ready, and is not written (§5.7.6).
    const kept = register === Ac97Mixer.power ? this.read(register) & 0xff : 0;
    const mask = volumes.has(register)
      ? ac97Mute | ac97VolumeMask
      : register === Ac97Mixer.power
        ? 0xff00
        : 0xffff;
    this.#registers[register >> 1] = (value & mask) | kept;
    if (volumes.has(register)) this.#volumesChanged();
  }

  /** Frames a second of what is played, and of what is recorded. */
  get frontRate(): number {
    return this.read(Ac97Mixer.frontRate);
  }

  get adcRate(): number {
    return this.read(Ac97Mixer.adcRate);
  }

  /** Samples of 16 bits, left and right in turn, as they leave the converter: in place. */
  play(bytes: Uint8Array, lengthBytes: number): void {
    if (this.#isSilent) {
      bytes.fill(0, 0, lengthBytes);
      return;
    }
    const gains = this.#gains;
    if (gains === null) return;
    for (let at = 0; at + 2 <= lengthBytes; at += 2) {
      const sample = ((bytes[at] | (bytes[at + 1] << 8)) << 16) >> 16;
      const scaled = Math.max(-32768, Math.min(32767, Math.round(sample * gains[(at >> 1) & 1])));
      bytes[at] = scaled;
      bytes[at + 1] = scaled >> 8;
    }
  }

  #volumesChanged(): void {
    const master = this.read(Ac97Mixer.masterVolume);
    const pcm = this.read(Ac97Mixer.pcmOutVolume);
    this.#isSilent = ((master | pcm) & ac97Mute) !== 0;
    // The left channel's volume stands in the upper byte (§5.7.2).
    const factor = (shift: number): number => {
      const steps = ((master >> shift) & 0x1f) + ((pcm >> shift) & 0x1f) - pcmUnity;
      return 10 ** ((-steps * stepDecibel) / 20);
    };
    const left = factor(8);
    const right = factor(0);
    this.#gains = left === 1 && right === 1 ? null : [left, right];
  }
}
