// Buffers that are used again: large ones cost their zeroing and their collection each time they are made.

/** Smaller ones are made anew, larger ones too: they are rare. */
const least = 2048;
const most = 1 << 20;
const stepBits = 12;

/** Give back what nobody reads or writes any more, once. */
export class BufferPool {
  readonly #free = new Map<number, Uint8Array[]>();
  readonly #keptMaximum: number;
  #keptBytes = 0;

  /** Keeps no more than `keptMaximum` bytes for later. */
  constructor(keptMaximum: number) {
    this.#keptMaximum = keptMaximum;
  }

  /** Bytes that wait to be used again. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  /** At least `length` bytes, with anything in them. */
  take(length: number): Uint8Array {
    if (length < least || length > most) return new Uint8Array(length);
    const steps = ((length - 1) >>> stepBits) + 1;
    const buffer = this.#free.get(steps)?.pop();
    if (buffer === undefined) return new Uint8Array(steps << stepBits);
    this.#keptBytes -= buffer.length;
    return buffer;
  }

  give(buffer: Uint8Array): void {
    const { length } = buffer;
    const steps = length >>> stepBits;
    if (steps === 0 || length > most || steps << stepBits !== length) return;
    if (this.#keptBytes + length > this.#keptMaximum) return;
    this.#keptBytes += length;
    const list = this.#free.get(steps);
    if (list === undefined) this.#free.set(steps, [buffer]);
    else list.push(buffer);
  }
}
