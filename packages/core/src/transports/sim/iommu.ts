// An IOMMU that one can see: mappings with owner, direction and bounds, and a ledger of every refused access.

import type { Clock, Nanoseconds } from "../../base/clock.ts";
import { ContractViolation } from "../../base/errors.ts";
import { PlacedList } from "../../base/placed-list.ts";
import { hex } from "../../base/text.ts";
import { formatNs } from "../../base/units.ts";
import {
  DmaDirection,
  type DmaLimits,
  type DmaMapping,
  type DmaPort,
  DmaRefusal,
  type DmaSegment,
  unlimitedDma,
} from "../../ports/dma.ts";

export type AccessRefusal =
  | "no mapping"
  | "past the end"
  | "device may not read"
  | "device may not write"
  | "bus master off"
  | "unplugged";

/** One refused access: who, what, where, and what was nearest (posts.md F11). */
export interface RefusedAccess {
  readonly timeNs: Nanoseconds;
  readonly requester: string;
  readonly address: number;
  readonly lengthBytes: number;
  readonly isWrite: boolean;
  readonly reason: AccessRefusal;
  /** The mapping that was meant, as far as anybody can tell; null: there is none. */
  readonly nearest: string | null;
  /** How far the access reaches out of that mapping: before its first byte, or past its last; 0 when it lies inside; null without one. */
  readonly missedByBytes: number | null;
}

/** "t=1.2 ms 01:00.0 write of 64 bytes at 0x4000c000 refused: no mapping; missed "I/O queue 1" by 8192 bytes". */
export function describeRefusal(refusal: RefusedAccess): string {
  const { nearest, missedByBytes } = refusal;
  const where =
    nearest === null
      ? "no mapping was ever near"
      : missedByBytes === 0
        ? `inside ${nearest}`
        : `missed ${nearest} by ${missedByBytes} bytes`;
  return (
    `t=${formatNs(refusal.timeNs)} ${refusal.requester} ${refusal.isWrite ? "write" : "read"} of ` +
    `${refusal.lengthBytes} bytes at 0x${hex(refusal.address)} refused: ${refusal.reason}; ${where}`
  );
}

/** A mapping as the ledger keeps it, also for a while after its end. */
export class IommuMapping implements DmaMapping {
  readonly requester: string;
  readonly owner: string;
  readonly direction: DmaDirection;
  /** First bus address. */
  readonly base: number;
  readonly lengthBytes: number;
  readonly sinceNs: Nanoseconds;
  /** What the device works on. */
  readonly bytes: Uint8Array;
  /** The caller's memory, when `bytes` is a copy of it. */
  readonly original: Uint8Array | null;
  readonly firstPage: number;
  readonly pageCount: number;
  endedNs: Nanoseconds | null = null;
  /** In the IOMMU's list of living mappings. */
  place = -1;

  constructor(
    requester: string,
    owner: string,
    direction: DmaDirection,
    base: number,
    bytes: Uint8Array,
    original: Uint8Array | null,
    firstPage: number,
    pageCount: number,
    sinceNs: Nanoseconds,
  ) {
    this.requester = requester;
    this.owner = owner;
    this.direction = direction;
    this.base = base;
    this.lengthBytes = bytes.length;
    this.sinceNs = sinceNs;
    this.bytes = bytes;
    this.original = original;
    this.firstPage = firstPage;
    this.pageCount = pageCount;
  }

  get isBounced(): boolean {
    return this.original !== null;
  }

  get segmentCount(): number {
    return 1;
  }

  get firstAddress(): number {
    return this.base;
  }

  /** One: an IOMMU makes it whole. Made when asked for, as the data path wants its address alone. */
  get segments(): readonly DmaSegment[] {
    return [{ address: this.base, lengthBytes: this.lengthBytes }];
  }

  toString(): string {
    return describeMapping(this);
  }
}

/** What the ledger says of a mapping, living or ended. */
type MappingFacts = Pick<
  IommuMapping,
  "requester" | "owner" | "direction" | "base" | "lengthBytes" | "sinceNs" | "endedNs"
>;

function describeMapping(mapping: MappingFacts): string {
  const directions = ["none", "device writes", "device reads", "both ways"];
  const end = mapping.endedNs === null ? "" : `, unmapped at ${formatNs(mapping.endedNs)}`;
  return `"${mapping.owner}" (0x${hex(mapping.base)}, ${mapping.lengthBytes} bytes, ${directions[mapping.direction]}${end})`;
}

/**
 * The last mappings that ended, as facts in records that are used again: the mappings themselves die young, which is what
 * a collector of garbage likes.
 */
class EndedMappings {
  readonly #ring: { -readonly [K in keyof MappingFacts]: MappingFacts[K] }[] = [];
  #at = 0;

  add(mapping: IommuMapping, endedNs: Nanoseconds): void {
    const { requester, owner, direction, base, lengthBytes, sinceNs } = mapping;
    const record = this.#ring[this.#at];
    if (record === undefined)
      this.#ring.push({ requester, owner, direction, base, lengthBytes, sinceNs, endedNs });
    else {
      record.requester = requester;
      record.owner = owner;
      record.direction = direction;
      record.base = base;
      record.lengthBytes = lengthBytes;
      record.sinceNs = sinceNs;
      record.endedNs = endedNs;
    }
    this.#at = (this.#at + 1) % endedMaximum;
  }

  get all(): readonly MappingFacts[] {
    return this.#ring;
  }
}

/** Refusals kept in full; the rest is counted. */
const ledgerMaximum = 1000;
/** Ended mappings remembered, so that a late access can be named. */
const endedMaximum = 256;
/** Window of bus addresses: 2 GiB below 4 GiB, so that 32 address bits reach all of it. */
const usualWindowBase = 0x4000_0000;
const usualWindowBytes = 0x8000_0000;
/** What is left for devices that drive fewer address bits: 15 MiB below 16 MiB (24 bits). */
const shortWindowBase = 0x0010_0000;
const shortWindowBytes = 0x00f0_0000;
const shortAddressBits = 24;
/** Fewer make no device. */
const leastAddressBits = 16;

/** A piece of bus address space, page by page. */
class PageWindow {
  readonly base: number;
  readonly #pages: (IommuMapping | null)[] = [];
  readonly #pageBytes: number;
  readonly #pageMaximum: number;
  #next = 0;

  constructor(base: number, lengthBytes: number, pageBytes: number) {
    this.base = base;
    this.#pageBytes = pageBytes;
    this.#pageMaximum = Math.floor(lengthBytes / pageBytes);
  }

  at(address: number): IommuMapping | null {
    const page = Math.floor((address - this.base) / this.#pageBytes);
    return page >= 0 && page < this.#pages.length ? (this.#pages[page] ?? null) : null;
  }

  set(firstPage: number, pageCount: number, mapping: IommuMapping | null): void {
    for (let page = firstPage; page < firstPage + pageCount; page++) this.#pages[page] = mapping;
  }

  /** First of `count` free pages in a row, with one more after them; -1: none. */
  take(count: number): number {
    const needed = count + 1;
    if (needed > this.#pageMaximum) return -1;
    let start = this.#next;
    let run = 0;
    for (let looked = 0; looked < this.#pageMaximum + needed; looked++) {
      if (start + needed > this.#pageMaximum) {
        start = 0;
        run = 0;
      }
      const page = start + run;
      if (page < this.#pages.length && this.#pages[page] != null) {
        start = page + 1;
        run = 0;
        continue;
      }
      if (++run < needed) continue;
      while (this.#pages.length < start + needed) this.#pages.push(null);
      this.#next = start + needed;
      return start;
    }
    return -1;
  }
}

export interface IommuOptions {
  readonly clock: Clock;
  /** 16384 in Apple's profiles, 4096 on VT-d. */
  readonly pageBytes: number;
  /** Where addresses begin; a device that does not reach so far gets none. Default below 4 GiB. */
  readonly windowBase?: number;
}

/**
 * Bus addresses are handed out in turn and come back late, so that a late access hits nothing instead of somebody
 * else's memory; between two mappings lies a page without one. Real IOMMUs check whole pages: an access past the end
 * of the memory but inside its last page would go through there and is refused here.
 */
export class SimIommu {
  readonly pageBytes: number;
  readonly refusals: RefusedAccess[] = [];
  /** Of all, also those that `refusals` no longer holds. */
  refusedCount = 0;
  /** Told of each refusal, of each write that arrived, and of each change of mappings: for traces, ledgers and provers. */
  onRefused: ((refusal: RefusedAccess) => void) | null = null;
  onWritten: ((mapping: IommuMapping, address: number, lengthBytes: number) => void) | null = null;
  onMapped: ((mapping: IommuMapping) => void) | null = null;
  onUnmapped: ((mapping: IommuMapping) => void) | null = null;
  readonly #clock: Clock;
  readonly #live = new PlacedList<IommuMapping>();
  readonly #ended = new EndedMappings();
  readonly #usual: PageWindow;
  readonly #short: PageWindow;
  #last: IommuMapping | null = null;

  constructor(options: IommuOptions) {
    this.#clock = options.clock;
    this.pageBytes = options.pageBytes;
    this.#usual = new PageWindow(options.windowBase ?? usualWindowBase, usualWindowBytes, options.pageBytes);
    this.#short = new PageWindow(shortWindowBase, shortWindowBytes, options.pageBytes);
  }

  /** False where addresses are physical ones. */
  get isTranslated(): boolean {
    return true;
  }

  /** Mappings of every function, as they are now. */
  get mappings(): ReadonlySet<IommuMapping> {
    return new Set(this.#live.items);
  }

  /** The mapper of one function. */
  portFor(requester: string): DmaPort & { readonly requester: string } {
    return new RequesterPort(this, requester);
  }

  map(
    requester: string,
    memory: Uint8Array,
    direction: DmaDirection,
    owner: string,
    limits: DmaLimits,
  ): IommuMapping | DmaRefusal {
    const { addressBits, alignmentBytes } = limits;
    if (
      memory.length === 0 ||
      direction === DmaDirection.none ||
      !(addressBits >= leastAddressBits) ||
      alignmentBytes < 1
    )
      return DmaRefusal.badRequest;
    // Where in its page memory lies is the allocator's choice: an array's own start stands for a page's.
    let inPage = memory.byteOffset % this.pageBytes;
    let bytes = memory;
    let original: Uint8Array | null = null;
    if (inPage % alignmentBytes !== 0) {
      bytes = new Uint8Array(memory.length);
      if ((direction & DmaDirection.deviceReads) !== 0) bytes.set(memory);
      original = memory;
      inPage = 0;
    }
    const pageCount = Math.ceil((inPage + memory.length) / this.pageBytes);
    const window = addressBits < 32 ? this.#short : this.#usual;
    // Too few address bits never yield an address above them (posts.md P16 AC4, P18 AC4).
    if (addressBits < shortAddressBits) return DmaRefusal.noRoom;
    const firstPage = window.take(pageCount);
    if (firstPage < 0) return DmaRefusal.noRoom;
    const base = window.base + firstPage * this.pageBytes + inPage;
    if (base + bytes.length > 2 ** addressBits) return DmaRefusal.noRoom;
    const mapping = new IommuMapping(
      requester,
      owner,
      direction,
      base,
      bytes,
      original,
      firstPage,
      pageCount,
      this.#clock.nowNs(),
    );
    window.set(firstPage, pageCount, mapping);
    this.#live.add(mapping);
    this.onMapped?.(mapping);
    return mapping;
  }

  unmap(mapping: DmaMapping): void {
    if (!(mapping instanceof IommuMapping) || !this.#live.delete(mapping))
      throw new ContractViolation("dma-unmapped-twice", String(mapping));
    const window = mapping.base < shortWindowBase + shortWindowBytes ? this.#short : this.#usual;
    window.set(mapping.firstPage, mapping.pageCount, null);
    if (this.#last === mapping) this.#last = null;
    if (mapping.original !== null && (mapping.direction & DmaDirection.deviceWrites) !== 0)
      mapping.original.set(mapping.bytes);
    mapping.endedNs = this.#clock.nowNs();
    this.#ended.add(mapping, mapping.endedNs);
    this.onUnmapped?.(mapping);
  }

  /** A device's read. Mappings that lie side by side are separate: an access crosses none. */
  read(requester: string, address: number, into: Uint8Array, offset: number, lengthBytes: number): boolean {
    const mapping = this.#find(requester, address, lengthBytes, false);
    if (mapping === null) {
      into.fill(0xff, offset, offset + lengthBytes);
      return false;
    }
    const from = address - mapping.base;
    if (lengthBytes <= 16) {
      for (let at = 0; at < lengthBytes; at++) into[offset + at] = mapping.bytes[from + at];
    } else into.set(mapping.bytes.subarray(from, from + lengthBytes), offset);
    return true;
  }

  /** A device's write; false is for the ledger's reader only: a device never learns it. */
  write(requester: string, address: number, from: Uint8Array, offset: number, lengthBytes: number): boolean {
    const mapping = this.#find(requester, address, lengthBytes, true);
    if (mapping === null) return false;
    if (this.onWritten !== null) this.onWritten(mapping, address, lengthBytes);
    const to = address - mapping.base;
    if (lengthBytes <= 16) {
      for (let at = 0; at < lengthBytes; at++) mapping.bytes[to + at] = from[offset + at];
    } else mapping.bytes.set(from.subarray(offset, offset + lengthBytes), to);
    return true;
  }

  /** Writes an access into the ledger that was stopped before it came here. */
  refuse(
    requester: string,
    address: number,
    lengthBytes: number,
    isWrite: boolean,
    reason: AccessRefusal,
  ): void {
    const nearest = this.#nearest(requester, address, lengthBytes);
    const refusal: RefusedAccess = {
      timeNs: this.#clock.nowNs(),
      requester,
      address,
      lengthBytes,
      isWrite,
      reason,
      nearest: nearest === null ? null : describeMapping(nearest),
      missedByBytes: nearest === null ? null : missed(nearest, address, lengthBytes),
    };
    this.refusedCount++;
    if (this.refusals.length < ledgerMaximum) this.refusals.push(refusal);
    this.onRefused?.(refusal);
  }

  #find(requester: string, address: number, lengthBytes: number, isWrite: boolean): IommuMapping | null {
    let mapping = this.#last;
    if (
      mapping === null ||
      address < mapping.base ||
      address + lengthBytes > mapping.base + mapping.lengthBytes ||
      mapping.requester !== requester
    ) {
      mapping = this.#usual.at(address) ?? this.#short.at(address);
      if (mapping === null || mapping.requester !== requester || address < mapping.base) {
        this.refuse(requester, address, lengthBytes, isWrite, "no mapping");
        return null;
      }
      if (address + lengthBytes > mapping.base + mapping.lengthBytes) {
        this.refuse(requester, address, lengthBytes, isWrite, "past the end");
        return null;
      }
      this.#last = mapping;
    }
    const wanted = isWrite ? DmaDirection.deviceWrites : DmaDirection.deviceReads;
    if ((mapping.direction & wanted) === 0) {
      const reason = isWrite ? "device may not write" : "device may not read";
      this.refuse(requester, address, lengthBytes, isWrite, reason);
      return null;
    }
    return mapping;
  }

  /** The live mapping that is nearest; an ended one when it lay right there. */
  #nearest(requester: string, address: number, lengthBytes: number): MappingFacts | null {
    let best: MappingFacts | null = null;
    let bestMiss = Number.POSITIVE_INFINITY;
    for (const candidates of [this.#live.items, this.#ended.all]) {
      for (const mapping of candidates) {
        if (mapping.requester !== requester) continue;
        const miss = missed(mapping, address, lengthBytes);
        if (miss < bestMiss || (miss === bestMiss && mapping.sinceNs > (best?.sinceNs ?? 0))) {
          best = mapping;
          bestMiss = miss;
        }
      }
    }
    return best;
  }
}

function missed(mapping: MappingFacts, address: number, lengthBytes: number): number {
  const before = mapping.base - address;
  const after = address + lengthBytes - (mapping.base + mapping.lengthBytes);
  return Math.max(0, before, after);
}

class RequesterPort implements DmaPort {
  readonly isTranslated: boolean;
  readonly pageBytes: number;
  readonly requester: string;
  readonly #iommu: SimIommu;
  #count = 0;

  constructor(iommu: SimIommu, requester: string) {
    this.#iommu = iommu;
    this.requester = requester;
    this.pageBytes = iommu.pageBytes;
    this.isTranslated = iommu.isTranslated;
  }

  get mappingCount(): number {
    return this.#count;
  }

  map(
    memory: Uint8Array,
    direction: DmaDirection,
    owner: string,
    limits: DmaLimits = unlimitedDma,
  ): DmaMapping | DmaRefusal {
    const mapping = this.#iommu.map(this.requester, memory, direction, owner, limits);
    if (typeof mapping !== "number") this.#count++;
    return mapping;
  }

  unmap(mapping: DmaMapping): void {
    this.#iommu.unmap(mapping);
    this.#count--;
  }
}
