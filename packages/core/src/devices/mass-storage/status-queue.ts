// Information units that wait for the host to read its status pipe, in order, by stream where there are streams.

/** Bytes kept per unit: the sense IU's header and 252 bytes of sense. */
const unitBytes = 268;

/** Buffers are made when more wait at once than ever before, and used again. */
export class StatusQueue {
  readonly #units: Uint8Array[] = [];
  readonly #lengths: number[] = [];
  readonly #streams: number[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  clear(): void {
    this.#count = 0;
  }

  /** A buffer for the next unit; `commit` puts it into the queue. */
  next(): Uint8Array {
    if (this.#count === this.#units.length) {
      this.#units.push(new Uint8Array(unitBytes));
      this.#lengths.push(0);
      this.#streams.push(0);
    }
    return this.#units[this.#count];
  }

  commit(length: number, stream: number): void {
    this.#lengths[this.#count] = length;
    this.#streams[this.#count] = stream;
    this.#count++;
  }

  /** Copies the first unit of `stream` out and forgets it; 0 when there is none, its length when it does not fit. */
  take(stream: number, buffer: Uint8Array, offset: number, length: number): number {
    for (let index = 0; index < this.#count; index++) {
      if (this.#streams[index] !== stream) continue;
      const bytes = this.#lengths[index];
      const unit = this.#units[index];
      if (bytes <= length) for (let at = 0; at < bytes; at++) buffer[offset + at] = unit[at];
      this.#remove(index);
      return bytes;
    }
    return 0;
  }

  /** Takes back what waits for `stream`. */
  drop(stream: number): void {
    for (let index = this.#count - 1; index >= 0; index--)
      if (this.#streams[index] === stream) this.#remove(index);
  }

  #remove(index: number): void {
    const unit = this.#units[index];
    this.#count--;
    for (let at = index; at < this.#count; at++) {
      this.#units[at] = this.#units[at + 1];
      this.#lengths[at] = this.#lengths[at + 1];
      this.#streams[at] = this.#streams[at + 1];
    }
    this.#units[this.#count] = unit;
  }
}
