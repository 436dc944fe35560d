// Sounds that give every slip away: two ramps of their own in left and right, and what was heard held against them.

import type { AudioSource } from "../families/audio/audio-server-device.ts";

const leftStep = 7;
const rightStep = 13;
const frameBytes = 4;

/** Frames of n*7 and n*13 modulo 2^15, 16 bits each: a frame that is lost, swapped or played twice is found where it is. */
export function rampTone(frames: number): AudioSource {
  return (first, into) => {
    const count = Math.max(0, Math.min(frames - first, into.length / frameBytes));
    for (let at = 0; at < count; at++) {
      const left = ((first + at) * leftStep) & 0x7fff;
      const right = ((first + at) * rightStep) & 0x7fff;
      into[at * 4] = left;
      into[at * 4 + 1] = left >> 8;
      into[at * 4 + 2] = right;
      into[at * 4 + 3] = right >> 8;
    }
    return count;
  };
}

/** Samples as a source. */
export function sampleSource(data: Uint8Array): AudioSource {
  return (first, into) => {
    const part = data.subarray(first * frameBytes, first * frameBytes + into.length);
    into.set(part);
    return Math.floor(part.length / frameBytes);
  };
}

/**
 * What became of a source on its way: held against what was heard, frame by frame, as it is heard. Silence before it counts as
 * lead, however long; silence that the source itself begins with must be there.
 */
export class ToneCheck {
  /** Frames of silence before the source's first. */
  leadFrames = 0;
  /** Frames of the source that were heard in their order, and what came after its end. */
  matched = 0;
  tailFrames = 0;
  /** The first frame of the source that was not what it should be; null: none. */
  wrongAt: number | null = null;
  readonly #source: AudioSource;
  readonly #total: number;
  readonly #expected = new Uint8Array(frameBytes * 1024);
  #expectedFrom = 0;
  #expectedFrames = 0;
  #silent = 0;
  #hasBegun = false;

  constructor(source: AudioSource, totalFrames: number) {
    this.#source = source;
    this.#total = totalFrames;
  }

  /** Every frame was heard, in order, and silence after the last. */
  get isWhole(): boolean {
    return this.wrongAt === null && this.matched === this.#total;
  }

  hear(bytes: Uint8Array): void {
    for (let at = 0; at + frameBytes <= bytes.length && this.wrongAt === null; at += frameBytes)
      this.#frame(bytes, at);
  }

  #frame(bytes: Uint8Array, at: number): void {
    const isSilent = bytes[at] === 0 && bytes[at + 1] === 0 && bytes[at + 2] === 0 && bytes[at + 3] === 0;
    if (!this.#hasBegun) {
      if (isSilent) {
        this.#silent++;
        return;
      }
      this.#begin();
      if (this.wrongAt !== null) return;
    }
    if (this.matched === this.#total) {
      if (isSilent) this.tailFrames++;
      else this.wrongAt = this.matched;
    } else if (this.#isFrame(this.matched, bytes, at)) this.matched++;
    else this.wrongAt = this.matched;
  }

  /** The first sound: the source's own silence before it has been heard, and what came earlier was lead. */
  #begin(): void {
    this.#hasBegun = true;
    const silence = new Uint8Array(frameBytes);
    let own = 0;
    while (own < this.#total && this.#isFrame(own, silence, 0)) own++;
    if (this.#silent < own) this.wrongAt = 0;
    this.leadFrames = this.#silent - own;
    this.matched = own;
  }

  #isFrame(frame: number, bytes: Uint8Array, at: number): boolean {
    if (frame < this.#expectedFrom || frame >= this.#expectedFrom + this.#expectedFrames) {
      this.#expectedFrom = frame;
      this.#expectedFrames = this.#source(frame, this.#expected);
    }
    const from = (frame - this.#expectedFrom) * frameBytes;
    for (let index = 0; index < frameBytes; index++)
      if (this.#expected[from + index] !== bytes[at + index]) return false;
    return true;
  }
}
