// Bytes that have come and are not taken apart yet: one growing block, consumed from the front.

/** For readers of streams: push what came, look at `bytes[start .. end)`, consume what was understood. */
export class InputBuffer {
  bytes: Uint8Array = new Uint8Array(4096);
  start = 0;
  end = 0;
  /** The block of its own while `bytes` is somebody else's. */
  #own: Uint8Array | null = null;

  get available(): number {
    return this.end - this.start;
  }

  /** Copies `chunk` behind what is there; the block moves or grows when it must. */
  push(chunk: Uint8Array): void {
    this.keep();
    if (this.end + chunk.length > this.bytes.length) this.#makeRoom(chunk.length);
    this.bytes.set(chunk, this.end);
    this.end += chunk.length;
  }

  /**
   * As `push`, but looks at `chunk` where it is when nothing else waits. `keep` must follow before its owner uses it
   * again.
   */
  lend(chunk: Uint8Array): void {
    this.keep();
    if (this.available > 0) {
      this.push(chunk);
      return;
    }
    this.#own = this.bytes;
    this.bytes = chunk;
    this.start = 0;
    this.end = chunk.length;
  }

  /** Copies what is left of a lent chunk. */
  keep(): void {
    const own = this.#own;
    if (own === null) return;
    const rest = this.bytes.subarray(this.start, this.end);
    this.#own = null;
    this.bytes = own;
    this.start = 0;
    this.end = 0;
    if (rest.length > 0) this.push(rest);
  }

  consume(count: number): void {
    this.start += count;
    if (this.start === this.end) {
      this.start = 0;
      this.end = 0;
    }
  }

  clear(): void {
    if (this.#own !== null) this.bytes = this.#own;
    this.#own = null;
    this.start = 0;
    this.end = 0;
    if (this.bytes.length > 1 << 20) this.bytes = new Uint8Array(4096);
  }

  #makeRoom(count: number): void {
    const used = this.available;
    if (used + count <= this.bytes.length) {
      this.bytes.copyWithin(0, this.start, this.end);
    } else {
      let size = this.bytes.length;
      while (size < used + count) size *= 2;
      const grown = new Uint8Array(size);
      grown.set(this.bytes.subarray(this.start, this.end));
      this.bytes = grown;
    }
    this.start = 0;
    this.end = used;
  }
}
