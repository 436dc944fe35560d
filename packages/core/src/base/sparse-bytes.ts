// A large array of bytes of which only what was written takes memory; the rest reads as zeros.

/** Bytes in a page: small enough that a scattered write costs little, large enough that a long read is few copies. */
const pageBytes = 65536;

/** Offsets are below 2^53. Nothing is checked: the owner knows the size. */
export class SparseBytes {
  readonly #pages = new Map<number, Uint8Array>();

  /** Bytes of memory that its pages take. */
  get allocatedBytes(): number {
    return this.#pages.size * pageBytes;
  }

  read(from: number, into: Uint8Array, offset: number, length: number): void {
    let page = Math.floor(from / pageBytes);
    let at = from - page * pageBytes;
    while (length > 0) {
      const count = Math.min(length, pageBytes - at);
      const bytes = this.#pages.get(page);
      if (bytes === undefined) into.fill(0, offset, offset + count);
      else if (count === pageBytes) into.set(bytes, offset);
      else into.set(bytes.subarray(at, at + count), offset);
      offset += count;
      length -= count;
      page++;
      at = 0;
    }
  }

  /** The page that holds all of a range, from `offsetInPage(from)` on, without a copy; null: several do, or none is there. */
  pageOf(from: number, length: number): Uint8Array | null {
    const page = Math.floor(from / pageBytes);
    return from - page * pageBytes + length <= pageBytes ? (this.#pages.get(page) ?? null) : null;
  }

  offsetInPage(from: number): number {
    return from % pageBytes;
  }

  write(to: number, from: Uint8Array, offset: number, length: number): void {
    let page = Math.floor(to / pageBytes);
    let at = to - page * pageBytes;
    while (length > 0) {
      const count = Math.min(length, pageBytes - at);
      let bytes = this.#pages.get(page);
      if (bytes === undefined) {
        bytes = new Uint8Array(pageBytes);
        this.#pages.set(page, bytes);
      }
      bytes.set(offset === 0 && count === from.length ? from : from.subarray(offset, offset + count), at);
      offset += count;
      length -= count;
      page++;
      at = 0;
    }
  }

  /** Zeros; whole pages give their memory back. */
  clear(from: number, length: number): void {
    let page = Math.floor(from / pageBytes);
    let at = from - page * pageBytes;
    while (length > 0) {
      const count = Math.min(length, pageBytes - at);
      if (count === pageBytes) this.#pages.delete(page);
      else this.#pages.get(page)?.fill(0, at, at + count);
      length -= count;
      page++;
      at = 0;
    }
  }
}
