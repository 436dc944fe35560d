// QEMU's VT-d: tables in shared RAM, one domain a function, queued invalidation, the fault record (VT-d 3.x).

import { getU32le, putU32le } from "../../base/bytes.ts";
import { readRequest, writeRequest } from "../../codec/qtest/qtest.ts";
import { DmaDirection } from "../../ports/dma.ts";
import type { PciAddress } from "../../ports/pci-host.ts";
import type { QtestClient } from "./qtest-client.ts";
import type { AddressDomain } from "./qtest-dma.ts";
import type { RamArena } from "./ram-arena.ts";

/** Where QEMU has the registers, and their offsets. */
const registers = 0xfed90000;
const capabilityOffset = 0x08;
const commandOffset = 0x18;
const rootTableOffset = 0x20;
const contextCommandOffset = 0x28;
const faultStatusOffset = 0x34;
const queueTailOffset = 0x88;
const queueAddressOffset = 0x90;
const globalTranslation = 0x8000_0000;
const globalRootPointer = 0x4000_0000;
const globalQueue = 0x0400_0000;
/** Invalidate everything: context cache and IOTLB by their registers. */
const contextGlobal = 0xa000_0000;
const iotlbGlobal = 0x9000_0000;

const pageBytes = 4096;
const queueEntries = 256;
/** Unanswered tail writes before single pages are no longer invalidated one by one. */
const queueLimit = 100;
/** Bus addresses for mappings: below the interrupt range, and within 32 bits. */
const windowFirstPage = 0x4000_0000 / pageBytes;
const windowPages = 0x8000_0000 / pageBytes;

export interface VtdFault {
  readonly address: number;
  readonly isWrite: boolean;
  readonly reason: number;
  readonly requester: string;
}

const faultReasons: Readonly<Record<number, string>> = {
  1: "no root entry",
  2: "no context entry",
  5: "writing is not permitted, or nothing is mapped",
  6: "reading is not permitted, or nothing is mapped",
};

export function describeVtdFault(fault: VtdFault): string {
  return (
    `${fault.requester} ${fault.isWrite ? "write" : "read"} at 0x${fault.address.toString(16)} refused by VT-d: ` +
    `${faultReasons[fault.reason] ?? "reason"} (${fault.reason})`
  );
}

export class Vtd {
  readonly #client: QtestClient;
  readonly #arena: RamArena;
  readonly #rootTable: Uint8Array;
  readonly #queue: Uint8Array;
  readonly #contexts = new Map<number, Uint8Array>();
  #tail = 0;
  #unanswered = 0;
  #isFlushDue = false;
  #domains = 0;

  constructor(client: QtestClient, arena: RamArena) {
    this.#client = client;
    this.#arena = arena;
    this.#rootTable = arena.allocate(pageBytes);
    this.#queue = arena.allocate(pageBytes);
  }

  /** Tables, root pointer, global invalidation, queue, then translation: the order that works. */
  async enable(): Promise<void> {
    const capabilities = await this.#client.ask(readRequest(registers + capabilityOffset, 8));
    if (capabilities.low === 0 || capabilities.low === 0xffffffff)
      throw new Error("this QEMU has no intel-iommu at 0xfed90000");
    this.#write(rootTableOffset, 8, this.#addressOf(this.#rootTable));
    this.#write(commandOffset, 4, globalRootPointer);
    this.#client.send(writeRequest(registers + contextCommandOffset, 8, 0, contextGlobal));
    this.#client.send(writeRequest(registers + 0xf8, 8, 0, iotlbGlobal));
    this.#write(queueAddressOffset, 8, this.#addressOf(this.#queue));
    this.#write(commandOffset, 4, globalQueue);
    this.#write(commandOffset, 4, globalQueue | globalTranslation);
    const status = await this.#client.ask(readRequest(registers + 0x1c, 4));
    if ((status.low & globalTranslation) === 0) throw new Error("VT-d's translation did not switch on");
  }

  /** A domain of its own for one function; what is mapped in it is all that the function reaches. */
  domainFor(address: PciAddress): VtdDomain {
    const domain = new VtdDomain(++this.#domains, this.#arena, (id, page, count) =>
      this.#invalidate(id, page, count),
    );
    let context = this.#contexts.get(address.bus);
    if (context === undefined) {
      context = this.#arena.allocate(pageBytes);
      this.#contexts.set(address.bus, context);
      putU32le(this.#rootTable, address.bus * 16, (this.#addressOf(context) | 1) >>> 0);
    }
    const at = (address.device * 8 + address.function) * 16;
    // Low: present, type 0 (translated), page table. High: 39-bit width, domain id.
    putU32le(context, at, (this.#addressOf(domain.table) | 1) >>> 0);
    putU32le(context, at + 8, 1 | (domain.id << 8));
    // The entry of a function that was here before may be cached: context and IOTLB, all of it.
    this.#put(1 | (1 << 4), 0);
    this.#put(2 | (1 << 4), 0);
    return domain;
  }

  /** Faults since the last look; QEMU has one record and folds repeated ones. */
  async readFaults(): Promise<VtdFault[]> {
    const status = await this.#client.ask(readRequest(registers + faultStatusOffset, 4));
    if ((status.low & 2) === 0) return [];
    const low = await this.#client.ask(readRequest(registers + 0x220, 8));
    const high = await this.#client.ask(readRequest(registers + 0x228, 8));
    // Writing ones clears: the record first, then the status.
    this.#client.send(writeRequest(registers + 0x22c, 4, 0x8000_0000));
    this.#client.send(writeRequest(registers + faultStatusOffset, 4, status.low));
    if ((high.high & 0x8000_0000) === 0) return [];
    const source = high.low & 0xffff;
    const two = (value: number) => value.toString(16).padStart(2, "0");
    return [
      {
        address: low.high * 4294967296 + (low.low & 0xfffff000 ? (low.low & 0xfffff000) >>> 0 : 0),
        isWrite: (high.high & 0x4000_0000) === 0,
        reason: high.high & 0xff,
        requester: `${two(source >>> 8)}:${two((source >>> 3) & 31)}.${source & 7}`,
      },
    ];
  }

  #invalidate(domain: number, page: number, count: number): void {
    if (this.#unanswered >= queueLimit) {
      this.#isFlushDue = true;
      return;
    }
    // Page-selective needs a power of two of pages, aligned; a domain is always right.
    const isOne = count === 1;
    this.#put(2 | (isOne ? 3 << 4 : 2 << 4) | (domain << 16), isOne ? page * pageBytes : 0);
  }

  #put(low: number, address: number): void {
    const at = this.#tail * 16;
    this.#queue.fill(0, at, at + 16);
    putU32le(this.#queue, at, low >>> 0);
    putU32le(this.#queue, at + 8, address >>> 0);
    putU32le(this.#queue, at + 12, Math.floor(address / 4294967296));
    this.#tail = (this.#tail + 1) % queueEntries;
    this.#unanswered++;
    this.#client.send(writeRequest(registers + queueTailOffset, 8, this.#tail * 16), () => {
      this.#unanswered--;
      if (!this.#isFlushDue) return;
      this.#isFlushDue = false;
      // Everything, once.
      this.#put(2 | (1 << 4), 0);
    });
  }

  #write(offset: number, sizeBytes: number, value: number): void {
    const high = Math.floor(value / 4294967296);
    this.#client.send(writeRequest(registers + offset, sizeBytes, value >>> 0, high));
  }

  #addressOf(memory: Uint8Array): number {
    return this.#arena.addressOf(memory) as number;
  }
}

/** Three levels of 512 entries: 39 bits. */
export class VtdDomain implements AddressDomain {
  readonly isTranslated = true;
  readonly id: number;
  readonly table: Uint8Array;
  readonly #arena: RamArena;
  readonly #invalidate: (domain: number, page: number, count: number) => void;
  #next = windowFirstPage;
  readonly #used = new Set<number>();

  constructor(
    id: number,
    arena: RamArena,
    invalidate: (domain: number, page: number, count: number) => void,
  ) {
    this.id = id;
    this.#arena = arena;
    this.#invalidate = invalidate;
    this.table = arena.allocate(pageBytes);
  }

  map(address: number, lengthBytes: number, direction: DmaDirection): number | null {
    const inPage = address % pageBytes;
    const count = Math.ceil((inPage + lengthBytes) / pageBytes);
    const first = this.#take(count);
    if (first === null) return null;
    for (let page = 0; page < count; page++) {
      this.#used.add(first + page);
      this.#set(first + page, address - inPage + page * pageBytes, direction);
    }
    return first * pageBytes + inPage;
  }

  unmap(busAddress: number, lengthBytes: number): void {
    const first = Math.floor(busAddress / pageBytes);
    const count = Math.ceil(((busAddress % pageBytes) + lengthBytes) / pageBytes);
    for (let page = first; page < first + count; page++) {
      this.#used.delete(page);
      this.#set(page, 0, DmaDirection.none);
    }
    this.#invalidate(this.id, first, count);
  }

  /** A page of the bus itself, at its own address: where messages go. */
  mapDevicePage(address: number): void {
    const page = Math.floor(address / pageBytes);
    this.#set(page, page * pageBytes, DmaDirection.both);
  }

  /** Pages in a row and one more without a mapping, in turn through the window. */
  #take(count: number): number | null {
    const end = windowFirstPage + windowPages;
    let start = this.#next;
    for (let looked = 0; looked < windowPages; looked++) {
      if (start + count + 1 > end) start = windowFirstPage;
      let run = 0;
      while (run < count && !this.#used.has(start + run)) run++;
      if (run === count) {
        this.#next = start + count + 1;
        return start;
      }
      looked += run;
      start += run + 1;
    }
    return null;
  }

  #set(page: number, target: number, direction: DmaDirection): void {
    const top = this.#child(this.table, Math.floor(page / 262_144) % 512);
    const leaf = this.#child(top, Math.floor(page / 512) % 512);
    const reads = (direction & DmaDirection.deviceReads) !== 0 ? 1 : 0;
    const writes = (direction & DmaDirection.deviceWrites) !== 0 ? 2 : 0;
    const at = (page % 512) * 8;
    putU32le(leaf, at, direction === DmaDirection.none ? 0 : (target | reads | writes) >>> 0);
    putU32le(leaf, at + 4, Math.floor(target / 4294967296));
  }

  #child(table: Uint8Array, index: number): Uint8Array {
    const entry = getU32le(table, index * 8);
    if ((entry & 3) !== 0) {
      const at = (entry & 0xfffff000) >>> 0;
      return this.#arena.bytes.subarray(at, at + pageBytes);
    }
    const child = this.#arena.allocate(pageBytes);
    putU32le(table, index * 8, ((this.#arena.addressOf(child) as number) | 3) >>> 0);
    return child;
  }
}
