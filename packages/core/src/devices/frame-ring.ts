// Frames that wait in a model, first in first out: so many, each of at most 1518 bytes.

import { maximumTaggedFrameBytes } from "../codec/ethernet/ethernet.ts";

export class FrameRing {
  readonly #frames: Uint8Array[] = [];
  readonly #lengths: Uint16Array;
  #first = 0;
  #count = 0;

  /** `size`: frames that it holds. Memory is taken as it is used. */
  constructor(size: number) {
    this.#lengths = new Uint16Array(size);
  }

  get count(): number {
    return this.#count;
  }

  /** The first frame, in bytes that are longer than it: `firstBytes` of them count. Only when there is one. */
  get first(): Uint8Array {
    return this.#frames[this.#first];
  }

  get firstBytes(): number {
    return this.#lengths[this.#first];
  }

  /** Copies a frame to the end; false when there is no room or the frame is none. */
  push(bytes: Uint8Array, offset: number, length: number): boolean {
    const size = this.#lengths.length;
    if (this.#count === size || length > maximumTaggedFrameBytes) return false;
    const at = (this.#first + this.#count++) % size;
    this.#frames[at] ??= new Uint8Array(maximumTaggedFrameBytes);
    this.#frames[at].set(bytes.subarray(offset, offset + length));
    this.#lengths[at] = length;
    return true;
  }

  /** The first one is done with. */
  shift(): void {
    this.#first = (this.#first + 1) % this.#lengths.length;
    this.#count--;
  }

  clear(): void {
    this.#first = 0;
    this.#count = 0;
  }
}
