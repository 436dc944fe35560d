// A machine without an IOMMU: addresses are physical ones, in pieces that lie anywhere, and nothing is ever refused.

import type { DmaDirection, DmaLimits, DmaMapping, DmaSegment } from "../../ports/dma.ts";
import { DmaRefusal } from "../../ports/dma.ts";
import { IommuMapping, type IommuOptions, SimIommu } from "./iommu.ts";

/** Where physical pages begin, and how many there are to be dealt out: a prime, so that a stride visits each. */
const physicalBase = 0x2000_0000;
const pageRing = 16_381;
const stride = 5_471;

/** A page of somebody's memory, as the bus finds it. */
interface PhysicalPage {
  readonly buffer: Uint8Array;
  /** Of the page within the buffer that it is a piece of. */
  readonly offset: number;
  readonly mappings: Set<IommuMapping>;
}

/** Memory that was mapped, page by page where it really lies. */
class PhysicalMapping extends IommuMapping {
  readonly #segments: readonly DmaSegment[];

  constructor(
    requester: string,
    owner: string,
    direction: DmaDirection,
    memory: Uint8Array,
    segments: readonly DmaSegment[],
    sinceNs: number,
  ) {
    super(requester, owner, direction, segments[0].address, memory, null, 0, 0, sinceNs);
    this.#segments = segments;
  }

  override get segmentCount(): number {
    return this.#segments.length;
  }

  override get segments(): readonly DmaSegment[] {
    return this.#segments;
  }
}

/**
 * What a Mac is not, for contrast (posts.md P16): no two pages of one buffer are neighbours, so a mapping has a segment for
 * each page; and a device that was told a wrong address reads and writes what lies there. Nothing stops it and nobody hears
 * of it: `strays` counts such accesses for the bench alone. Direction is not looked at.
 */
export class UntranslatedMemory extends SimIommu {
  /** Accesses to memory that nobody had given to a device. */
  strays = 0;
  readonly #pages = new Map<number, PhysicalPage>();
  readonly #places = new WeakMap<ArrayBufferLike, number[]>();
  readonly #held = new Set<IommuMapping>();
  readonly #now: () => number;
  #dealt = 0;

  constructor(options: IommuOptions) {
    super(options);
    this.#now = () => options.clock.nowNs();
  }

  override get isTranslated(): boolean {
    return false;
  }

  override get mappings(): ReadonlySet<IommuMapping> {
    return new Set(this.#held);
  }

  override map(
    requester: string,
    memory: Uint8Array,
    direction: DmaDirection,
    owner: string,
    { addressBits }: DmaLimits,
  ): IommuMapping | DmaRefusal {
    if (memory.length === 0 || direction === 0) return DmaRefusal.badRequest;
    if (physicalBase + 2 * pageRing * this.pageBytes > 2 ** addressBits) return DmaRefusal.noRoom;
    const { pageBytes } = this;
    const segments: DmaSegment[] = [];
    const end = memory.byteOffset + memory.length;
    for (let at = memory.byteOffset; at < end; ) {
      const inPage = at % pageBytes;
      const lengthBytes = Math.min(pageBytes - inPage, end - at);
      segments.push({
        address: this.#placeOf(memory.buffer, Math.floor(at / pageBytes)) + inPage,
        lengthBytes,
      });
      at += lengthBytes;
    }
    const mapping = new PhysicalMapping(requester, owner, direction, memory, segments, this.#now());
    for (const { address } of segments) {
      const page = Math.floor(address / pageBytes);
      const known = this.#pages.get(page);
      if (known !== undefined) known.mappings.add(mapping);
      else {
        const index = (this.#places.get(memory.buffer) as number[]).indexOf(page * pageBytes);
        const offset = index * pageBytes;
        const length = Math.min(pageBytes, memory.buffer.byteLength - offset);
        const buffer = new Uint8Array(memory.buffer, offset, length);
        this.#pages.set(page, { buffer, offset, mappings: new Set([mapping]) });
      }
    }
    this.#held.add(mapping);
    this.onMapped?.(mapping);
    return mapping;
  }

  override unmap(mapping: DmaMapping): void {
    if (!(mapping instanceof IommuMapping) || !this.#held.delete(mapping)) {
      super.unmap(mapping);
      return;
    }
    for (const { address } of mapping.segments) {
      const page = Math.floor(address / this.pageBytes);
      const known = this.#pages.get(page);
      known?.mappings.delete(mapping);
      if (known?.mappings.size === 0) this.#pages.delete(page);
    }
    mapping.endedNs = this.#now();
    this.onUnmapped?.(mapping);
  }

  override read(
    _requester: string,
    address: number,
    into: Uint8Array,
    offset: number,
    lengthBytes: number,
  ): boolean {
    this.#each(address, lengthBytes, (page, inPage, done, count) => {
      if (page === undefined) into.fill(0, offset + done, offset + done + count);
      else into.set(page.buffer.subarray(inPage, inPage + count), offset + done);
    });
    return true;
  }

  override write(
    _requester: string,
    address: number,
    from: Uint8Array,
    offset: number,
    lengthBytes: number,
  ): boolean {
    this.#each(address, lengthBytes, (page, inPage, done, count) => {
      page?.buffer.set(from.subarray(offset + done, offset + done + count), inPage);
    });
    return true;
  }

  #each(
    address: number,
    lengthBytes: number,
    act: (page: PhysicalPage | undefined, inPage: number, done: number, count: number) => void,
  ): void {
    for (let done = 0; done < lengthBytes; ) {
      const at = address + done;
      const inPage = at % this.pageBytes;
      const count = Math.min(this.pageBytes - inPage, lengthBytes - done);
      const page = this.#pages.get(Math.floor(at / this.pageBytes));
      if (page === undefined) this.strays++;
      act(page, inPage, done, count);
      done += count;
    }
  }

  /** Where a page of a buffer lies. It stays there; no two pages that were dealt out are neighbours. */
  #placeOf(buffer: ArrayBufferLike, index: number): number {
    let places = this.#places.get(buffer);
    if (places === undefined) {
      places = [];
      this.#places.set(buffer, places);
    }
    while (places.length <= index) {
      const turn = (this.#dealt++ * stride) % pageRing;
      places.push(physicalBase + 2 * turn * this.pageBytes);
    }
    return places[index];
  }
}
