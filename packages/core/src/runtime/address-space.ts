// The memory of one simulated process: addresses that can be told from what they point at, guards and poison.

import { hex } from "../base/text.ts";
import type { HostMemory } from "../ports/dma.ts";

declare const addressBrand: unique symbol;
/** A virtual address of one process: an integer below 2^53. Never to be confused with the bytes it points at. */
export type Address = number & { readonly [addressBrand]: "Address" };

export type AccessKind = "read" | "write";
export type FaultReason = "unmapped" | "read-only" | "after release" | "past the end";

/** Fresh heap memory and released memory are filled with these, so that their use shows. */
export const freshPoison = 0xa5;
export const releasedPoison = 0xde;

const pageBytes = 0x4000;
/** Unmapped bytes between any two regions. */
const guardBytes = 0x4000;
const heapBase = 0x1_0400_0000;
/** Released regions that are remembered, so that a late access can be named. */
const quarantineMaximum = 256;

/** A bad access: what a crash report shows as EXC_BAD_ACCESS. */
export class MemoryFault extends Error {
  override readonly name = "MemoryFault";
  readonly kind: AccessKind;
  readonly address: number;
  readonly reason: FaultReason;
  /** The region that was hit or missed: "map of line coding buffer". */
  readonly region: string;

  constructor(kind: AccessKind, address: number, reason: FaultReason, region: string) {
    const where = region === "" ? "" : ` (${region})`;
    super(`bad ${kind} at 0x${hex(address)}: ${reason}${where}`);
    this.kind = kind;
    this.address = address;
    this.reason = reason;
    this.region = region;
  }

  /** KERN_PROTECTION_FAILURE for a mapped page without the right, else KERN_INVALID_ADDRESS. */
  get machCode(): string {
    return this.reason === "read-only" ? "KERN_PROTECTION_FAILURE" : "KERN_INVALID_ADDRESS";
  }
}

interface Region {
  readonly start: number;
  readonly length: number;
  readonly bytes: Uint8Array;
  readonly isWritable: boolean;
  readonly label: string;
  isReleased: boolean;
}

/** A C local variable of pointer size: it has an address of its own and a value, which may be an address. */
export interface LocalVariable {
  /** Where the variable itself lies: what `&variable` gives. */
  readonly address: Address;
  /** What it holds now: what `variable` gives. */
  readonly value: Address;
}

/**
 * Regions of memory with gaps between them. C-like driver code uses addresses and `copy`, as memcpy does; TypeScript
 * drivers mostly use the bytes of a descriptor directly. Every bad access throws MemoryFault, which ends the process.
 */
export class AddressSpace {
  readonly owner: string;
  /** Where buffers come from that a device reaches without a copy; null: ordinary arrays. */
  readonly hostMemory: HostMemory | null;
  readonly #regions: Region[] = [];
  #next = heapBase;
  #last: Region | null = null;

  constructor(owner: string, hostMemory: HostMemory | null = null) {
    this.owner = owner;
    this.hostMemory = hostMemory;
  }

  /** Heap memory, filled with poison unless `zeroed`. */
  allocate(lengthBytes: number, label: string, zeroed = false): Address {
    const bytes = new Uint8Array(lengthBytes);
    if (!zeroed) bytes.fill(freshPoison);
    return this.map(bytes, true, label);
  }

  /** Releases what `allocate` gave. Releasing anything else, or twice, is a fault. */
  free(address: Address): void {
    this.unmap(address);
  }

  /** Makes `bytes` visible at a fresh address. The memory is shared, not copied. */
  map(bytes: Uint8Array, isWritable: boolean, label: string): Address {
    const start = this.#next;
    const pages = Math.max(1, Math.ceil(bytes.length / pageBytes));
    this.#next += pages * pageBytes + guardBytes;
    this.#regions.push({ start, length: bytes.length, bytes, isWritable, label, isReleased: false });
    return start as Address;
  }

  /** Takes a region away. Its heap contents are poisoned by the owner of the bytes, not here. */
  unmap(address: Address): void {
    const region = this.#regions.find((entry) => entry.start === address);
    if (region === undefined || region.isReleased) {
      throw new MemoryFault(
        "write",
        address,
        region === undefined ? "unmapped" : "after release",
        region?.label ?? "",
      );
    }
    region.isReleased = true;
    this.#last = null;
    const released = this.#regions.filter((entry) => entry.isReleased);
    if (released.length > quarantineMaximum) this.#regions.splice(this.#regions.indexOf(released[0]), 1);
  }

  /** A local variable on the stack, holding `value`. */
  local(label: string, value: Address): LocalVariable {
    const address = this.map(new Uint8Array(8), true, `local variable ${label}`);
    const space = this;
    this.storeAddress(address, value);
    return {
      address,
      get value(): Address {
        return space.loadAddress(address);
      },
    };
  }

  loadByte(address: Address): number {
    const region = this.#find(address, 1, "read");
    return region.bytes[address - region.start];
  }

  storeByte(address: Address, value: number): void {
    const region = this.#find(address, 1, "write");
    region.bytes[address - region.start] = value;
  }

  /** memcpy. Both ranges are checked before a byte moves. */
  copy(to: Address, from: Address, lengthBytes: number): void {
    if (lengthBytes === 0) return;
    const source = this.#find(from, lengthBytes, "read");
    const target = this.#find(to, lengthBytes, "write");
    const at = from - source.start;
    target.bytes.set(source.bytes.subarray(at, at + lengthBytes), to - target.start);
  }

  fill(address: Address, value: number, lengthBytes: number): void {
    if (lengthBytes === 0) return;
    const region = this.#find(address, lengthBytes, "write");
    const at = address - region.start;
    region.bytes.fill(value, at, at + lengthBytes);
  }

  write(address: Address, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const region = this.#find(address, bytes.length, "write");
    region.bytes.set(bytes, address - region.start);
  }

  /** A copy of what lies there. */
  read(address: Address, lengthBytes: number): Uint8Array {
    if (lengthBytes === 0) return new Uint8Array(0);
    const region = this.#find(address, lengthBytes, "read");
    const at = address - region.start;
    return region.bytes.slice(at, at + lengthBytes);
  }

  /** Eight little-endian bytes as an address; whatever they hold. */
  loadAddress(address: Address): Address {
    const bytes = this.read(address, 8);
    let value = 0;
    for (let index = 7; index >= 0; index--) value = value * 256 + bytes[index];
    return value as Address;
  }

  storeAddress(address: Address, value: Address): void {
    const bytes = new Uint8Array(8);
    let rest: number = value;
    for (let index = 0; index < 8; index++) {
      bytes[index] = rest % 256;
      rest = Math.floor(rest / 256);
    }
    this.write(address, bytes);
  }

  #find(address: number, lengthBytes: number, kind: AccessKind): Region {
    let region = this.#last;
    if (region === null || address < region.start || address - region.start + lengthBytes > region.length) {
      region = this.#search(address, lengthBytes, kind);
      this.#last = region;
    }
    if (kind === "write" && !region.isWritable)
      throw new MemoryFault(kind, address, "read-only", region.label);
    return region;
  }

  #search(address: number, lengthBytes: number, kind: AccessKind): Region {
    for (const region of this.#regions) {
      if (address < region.start || address >= region.start + Math.max(region.length, 1) + guardBytes)
        continue;
      if (region.isReleased) throw new MemoryFault(kind, address, "after release", region.label);
      if (address - region.start + lengthBytes > region.length) {
        throw new MemoryFault(kind, address, "past the end", region.label);
      }
      return region;
    }
    throw new MemoryFault(kind, address, "unmapped", "");
  }
}
