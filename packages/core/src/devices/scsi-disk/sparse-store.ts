// A store in memory that holds only what was written: disks of any size in a process of ordinary size.

import { type BlockStore, StoreResult } from "../../ports/block-store.ts";

/** Memory is given out in pieces of this size. */
const pageBytes = 65536;
/**
 * And taken from the host in as much again as there is, up to this: large pieces come from it as zeros and are not cleared once
 * more, and the collector has few of them to look at.
 */
const largestSlabPages = 64;
/** The unit in which mapped and unmapped are told apart. */
const unitBytes = 512;
const unitsPerPage = pageBytes / unitBytes;

/** Neighbouring pages; whoever has none in use any more is given back whole. */
interface Slab {
  readonly pages: number;
  /** Full of zeros. */
  readonly free: Uint8Array[];
}

function newSlab(pages: number): Slab {
  const bytes = new Uint8Array(pages * pageBytes);
  const free: Uint8Array[] = [];
  for (let page = pages - 1; page >= 0; page--)
    free.push(bytes.subarray(page * pageBytes, (page + 1) * pageBytes));
  return { pages, free };
}

class Page {
  readonly bytes: Uint8Array;
  readonly slab: Slab;
  /** One bit per unit. */
  readonly mapped = new Uint8Array(unitsPerPage / 8);
  mappedCount = 0;

  constructor(slab: Slab, bytes: Uint8Array) {
    this.slab = slab;
    this.bytes = bytes;
  }

  map(first: number, count: number): void {
    if (this.mappedCount === unitsPerPage) return;
    if (count === unitsPerPage) {
      this.mapped.fill(0xff);
      this.mappedCount = unitsPerPage;
      return;
    }
    for (let unit = first; unit < first + count; unit++) {
      const bit = 1 << (unit & 7);
      if ((this.mapped[unit >> 3] & bit) !== 0) continue;
      this.mapped[unit >> 3] |= bit;
      this.mappedCount++;
    }
  }

  unmap(first: number, count: number): void {
    for (let unit = first; unit < first + count; unit++) {
      const bit = 1 << (unit & 7);
      if ((this.mapped[unit >> 3] & bit) === 0) continue;
      this.mapped[unit >> 3] &= ~bit;
      this.mappedCount--;
    }
  }

  isMapped(unit: number): boolean {
    return (this.mapped[unit >> 3] & (1 << (unit & 7))) !== 0;
  }
}

export class SparseStore implements BlockStore {
  readonly lengthBytes: number;
  readonly canDiscard = true;
  readonly #pages = new Map<number, Page>();
  /** Those that have free pages. */
  readonly #roomy = new Set<Slab>();
  // Neighbouring accesses nearly always hit the last page.
  #lastNumber = -1;
  #lastPage: Page | null = null;

  constructor(lengthBytes: number) {
    if (!Number.isSafeInteger(lengthBytes) || lengthBytes <= 0 || lengthBytes % unitBytes !== 0)
      throw new RangeError(`a store has a positive multiple of 512 bytes below 2^53, not ${lengthBytes}`);
    this.lengthBytes = lengthBytes;
  }

  /** Bytes of memory that its contents take. */
  get heldBytes(): number {
    return this.#pages.size * pageBytes;
  }

  read(at: number, into: Uint8Array, offset: number, length: number): StoreResult {
    let number = Math.floor(at / pageBytes);
    let inside = at - number * pageBytes;
    while (length > 0) {
      const count = Math.min(length, pageBytes - inside);
      const page = this.#find(number);
      if (page === null) into.fill(0, offset, offset + count);
      else into.set(page.bytes.subarray(inside, inside + count), offset);
      offset += count;
      length -= count;
      inside = 0;
      number++;
    }
    return StoreResult.ok;
  }

  write(at: number, from: Uint8Array, offset: number, length: number): StoreResult {
    let number = Math.floor(at / pageBytes);
    let inside = at - number * pageBytes;
    while (length > 0) {
      const count = Math.min(length, pageBytes - inside);
      let page = this.#find(number);
      if (page === null) {
        page = this.#newPage();
        this.#pages.set(number, page);
        this.#lastNumber = number;
        this.#lastPage = page;
      }
      page.bytes.set(from.subarray(offset, offset + count), inside);
      page.map(inside / unitBytes, count / unitBytes);
      offset += count;
      length -= count;
      inside = 0;
      number++;
    }
    return StoreResult.ok;
  }

  discard(at: number, length: number): StoreResult {
    const end = at + length;
    const first = Math.floor(at / pageBytes);
    const last = Math.floor((end - 1) / pageBytes);
    if (length <= 0) return StoreResult.ok;
    // A discard of a whole huge disk must not walk pages that do not exist.
    if (last - first > this.#pages.size) {
      for (const number of [...this.#pages.keys()])
        if (number >= first && number <= last) this.#discardIn(number, at, end);
    } else for (let number = first; number <= last; number++) this.#discardIn(number, at, end);
    return StoreResult.ok;
  }

  mappedRun(at: number, length: number): number {
    let number = Math.floor(at / pageBytes);
    let unit = Math.floor((at - number * pageBytes) / unitBytes);
    const isMapped = this.#find(number)?.isMapped(unit) ?? false;
    let run = 0;
    while (run < length) {
      const page = this.#find(number);
      // Most pages are mapped whole: nothing to count.
      if (isMapped && page !== null && page.mappedCount === unitsPerPage) {
        run += (unitsPerPage - unit) * unitBytes;
        unit = 0;
        number++;
        continue;
      }
      if (page === null) {
        if (isMapped) break;
        const next = this.#nextPage(number, Math.ceil((length - run) / pageBytes));
        run += ((next - number) * unitsPerPage - unit) * unitBytes;
        number = next - 1;
      } else {
        let next = unit;
        while (next < unitsPerPage && page.isMapped(next) === isMapped) next++;
        run += (next - unit) * unitBytes;
        if (next < unitsPerPage) break;
      }
      unit = 0;
      number++;
    }
    run = Math.min(run, length);
    return isMapped ? run : -run;
  }

  flush(_done: (result: StoreResult) => void): StoreResult {
    return StoreResult.ok;
  }

  /** The first page above `number` that exists, at most `span` further on. */
  #nextPage(number: number, span: number): number {
    let next = number + span + 1;
    // The shorter of two walks: over the gap, or over all pages there are.
    if (span > this.#pages.size) {
      for (const held of this.#pages.keys()) if (held > number && held < next) next = held;
    } else {
      for (let held = number + 1; held < next; held++) if (this.#pages.has(held)) return held;
    }
    return next;
  }

  #find(number: number): Page | null {
    if (number === this.#lastNumber) return this.#lastPage;
    const page = this.#pages.get(number) ?? null;
    this.#lastNumber = number;
    this.#lastPage = page;
    return page;
  }

  #newPage(): Page {
    let [slab] = this.#roomy;
    if (slab === undefined) {
      slab = newSlab(Math.max(1, Math.min(largestSlabPages, this.#pages.size)));
      this.#roomy.add(slab);
    }
    const bytes = slab.free.pop() as Uint8Array;
    if (slab.free.length === 0) this.#roomy.delete(slab);
    return new Page(slab, bytes);
  }

  /** What has no unit mapped is zeros. */
  #freePage({ bytes, slab }: Page): void {
    slab.free.push(bytes);
    if (slab.free.length < slab.pages) this.#roomy.add(slab);
    else this.#roomy.delete(slab);
  }

  #discardIn(number: number, at: number, end: number): void {
    const page = this.#pages.get(number);
    if (page === undefined) return;
    const from = Math.max(0, at - number * pageBytes);
    const to = Math.min(pageBytes, end - number * pageBytes);
    page.bytes.fill(0, from, to);
    page.unmap(from / unitBytes, (to - from) / unitBytes);
    if (page.mappedCount > 0) return;
    this.#pages.delete(number);
    this.#freePage(page);
    this.#lastNumber = -1;
    this.#lastPage = null;
  }
}
