// The linear memory of a dext: it never grows, so views of it stay good.

/** Reads and writes by address. An address outside throws a RangeError, as the engine's own accesses trap. */
export class DextMemory {
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  constructor(memory: WebAssembly.Memory) {
    this.bytes = new Uint8Array(memory.buffer);
    this.#view = new DataView(memory.buffer);
  }

  u8(at: number): number {
    return this.#view.getUint8(at);
  }

  u16(at: number): number {
    return this.#view.getUint16(at, true);
  }

  u32(at: number): number {
    return this.#view.getUint32(at, true);
  }

  u64(at: number): bigint {
    return this.#view.getBigUint64(at, true);
  }

  f64(at: number): number {
    return this.#view.getFloat64(at, true);
  }

  setU8(at: number, value: number): void {
    this.#view.setUint8(at, value);
  }

  setU16(at: number, value: number): void {
    this.#view.setUint16(at, value, true);
  }

  setU32(at: number, value: number): void {
    this.#view.setUint32(at, value, true);
  }

  setU64(at: number, value: bigint): void {
    this.#view.setBigUint64(at, value, true);
  }

  /** UTF-8 up to the zero, at most `most` bytes. */
  text(at: number, most = 65536): string {
    const limit = Math.min(this.bytes.length, at + most);
    let end = at;
    while (end < limit && this.bytes[end] !== 0) end++;
    return new TextDecoder().decode(this.bytes.slice(at, end));
  }

  /** The memory itself, not a copy. */
  view(at: number, length: number): Uint8Array {
    if (at < 0 || length < 0 || at + length > this.bytes.length)
      throw new RangeError(`${length} bytes at 0x${at.toString(16)} lie outside of the dext's memory`);
    return this.bytes.subarray(at, at + length);
  }

  copyOut(at: number, length: number): Uint8Array {
    return this.view(at, length).slice();
  }
}
