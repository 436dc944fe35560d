// A running 64-bit digest (two FNV-1a lanes) for comparing traces. Not for secrets.

const LOW_PRIME = 0x01000193;
const HIGH_PRIME = 0x0100019d;

/** Feed it bytes, numbers and text in order; equal feeds give equal digests on every machine. */
export class TraceHash {
  #low = 0x811c9dc5;
  #high = 0x01000193;

  byte(value: number): void {
    this.#low = Math.imul(this.#low ^ (value & 0xff), LOW_PRIME);
    this.#high = Math.imul(this.#high ^ (value & 0xff) ^ (this.#low >>> 24), HIGH_PRIME);
  }

  // The lanes are held in locals below: every step's events pass here, and a field written per byte costs more than its sum.

  /** A safe integer, as eight little-endian bytes (negative numbers as their 32-bit complement halves). */
  number(value: number): void {
    const upper = Math.floor(value / 4294967296);
    const lower = value - upper * 4294967296;
    let low = this.#low;
    let high = this.#high;
    for (let shift = 0; shift < 32; shift += 8) {
      const byte = (lower >>> shift) & 0xff;
      low = Math.imul(low ^ byte, LOW_PRIME);
      high = Math.imul(high ^ byte ^ (low >>> 24), HIGH_PRIME);
    }
    for (let shift = 0; shift < 32; shift += 8) {
      const byte = (upper >> shift) & 0xff;
      low = Math.imul(low ^ byte, LOW_PRIME);
      high = Math.imul(high ^ byte ^ (low >>> 24), HIGH_PRIME);
    }
    this.#low = low;
    this.#high = high;
  }

  bytes(data: Uint8Array, offset = 0, length = data.length - offset): void {
    let low = this.#low;
    let high = this.#high;
    for (let index = offset; index < offset + length; index++) {
      const byte = data[index];
      low = Math.imul(low ^ byte, LOW_PRIME);
      high = Math.imul(high ^ byte ^ (low >>> 24), HIGH_PRIME);
    }
    this.#low = low;
    this.#high = high;
  }

  text(value: string): void {
    let low = this.#low;
    let high = this.#high;
    for (let index = 0; index < value.length; index++) {
      const unit = value.charCodeAt(index);
      low = Math.imul(low ^ (unit & 0xff), LOW_PRIME);
      high = Math.imul(high ^ (unit & 0xff) ^ (low >>> 24), HIGH_PRIME);
      low = Math.imul(low ^ (unit >>> 8), LOW_PRIME);
      high = Math.imul(high ^ (unit >>> 8) ^ (low >>> 24), HIGH_PRIME);
    }
    this.#low = low;
    this.#high = high;
    this.byte(0);
  }

  /** Sixteen hexadecimal digits. */
  digest(): string {
    const hex = (half: number) => (half >>> 0).toString(16).padStart(8, "0");
    return hex(this.#high) + hex(this.#low);
  }
}
