// A running 64-bit digest (two FNV-1a lanes) for comparing traces. Not for secrets.

/** Feed it bytes, numbers and text in order; equal feeds give equal digests on every machine. */
export class TraceHash {
  #low = 0x811c9dc5;
  #high = 0x01000193;

  byte(value: number): void {
    this.#low = Math.imul(this.#low ^ (value & 0xff), 0x01000193);
    this.#high = Math.imul(this.#high ^ (value & 0xff) ^ (this.#low >>> 24), 0x0100019d);
  }

  /** A safe integer, as eight little-endian bytes (negative numbers as their 32-bit complement halves). */
  number(value: number): void {
    const high = Math.floor(value / 4294967296);
    const low = value - high * 4294967296;
    for (let shift = 0; shift < 32; shift += 8) this.byte(low >>> shift);
    for (let shift = 0; shift < 32; shift += 8) this.byte(high >> shift);
  }

  bytes(data: Uint8Array, offset = 0, length = data.length - offset): void {
    for (let index = offset; index < offset + length; index++) this.byte(data[index]);
  }

  text(value: string): void {
    for (let index = 0; index < value.length; index++) {
      const unit = value.charCodeAt(index);
      this.byte(unit);
      this.byte(unit >>> 8);
    }
    this.byte(0);
  }

  /** Sixteen hexadecimal digits. */
  digest(): string {
    const hex = (half: number) => (half >>> 0).toString(16).padStart(8, "0");
    return hex(this.#high) + hex(this.#low);
  }
}
