// A ring of bytes with free-running producer and consumer counts.

/**
 * A power-of-two ring with 32-bit counters that wrap freely, as SerialPortInterface has them (driverkit-families.md
 * §3). One producer, one consumer.
 */
export class ByteRing {
  readonly bytes: Uint8Array;
  readonly #mask: number;
  /** Bytes ever produced and consumed, modulo 2^32. */
  #produced = 0;
  #consumed = 0;

  /** `logSize`: 4 to 24; the capacity is 2^logSize bytes. */
  constructor(logSize: number) {
    if (!Number.isInteger(logSize) || logSize < 4 || logSize > 24)
      throw new RangeError(`ring size 2^${logSize}`);
    this.bytes = new Uint8Array(1 << logSize);
    this.#mask = this.bytes.length - 1;
  }

  get capacity(): number {
    return this.bytes.length;
  }

  get used(): number {
    return (this.#produced - this.#consumed) >>> 0;
  }

  get free(): number {
    return this.bytes.length - this.used;
  }

  /** Copies in up to `length` bytes and returns how many fitted. */
  push(from: Uint8Array, offset: number, length: number): number {
    const count = Math.min(length, this.free);
    const at = this.#produced & this.#mask;
    const first = Math.min(count, this.bytes.length - at);
    copy(from, offset, this.bytes, at, first);
    if (count > first) copy(from, offset + first, this.bytes, 0, count - first);
    this.#produced = (this.#produced + count) >>> 0;
    return count;
  }

  /** Copies out up to `length` bytes and returns how many there were. */
  pull(into: Uint8Array, offset: number, length: number): number {
    const count = Math.min(length, this.used);
    const at = this.#consumed & this.#mask;
    const first = Math.min(count, this.bytes.length - at);
    copy(this.bytes, at, into, offset, first);
    if (count > first) copy(this.bytes, 0, into, offset + first, count - first);
    this.#consumed = (this.#consumed + count) >>> 0;
    return count;
  }

  clear(): void {
    this.#consumed = this.#produced;
  }
}

/** A view costs more than some tens of byte stores (node-performance.md §2; measured here with perf/pty). */
function copy(from: Uint8Array, fromOffset: number, to: Uint8Array, toOffset: number, length: number): void {
  if (length <= 64) {
    for (let index = 0; index < length; index++) to[toOffset + index] = from[fromOffset + index];
  } else to.set(from.subarray(fromOffset, fromOffset + length), toOffset);
}
