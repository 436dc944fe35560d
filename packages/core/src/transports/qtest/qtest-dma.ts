// DMA to QEMU's devices: memory in the shared RAM as it is, other memory bounced, addresses physical or VT-d's.

import { ContractViolation } from "../../base/errors.ts";
import { PlacedList } from "../../base/placed-list.ts";
import {
  DmaDirection,
  type DmaLimits,
  type DmaMapping,
  type DmaPort,
  DmaRefusal,
  type DmaSegment,
  unlimitedDma,
} from "../../ports/dma.ts";
import type { RamArena } from "./ram-arena.ts";

/** What stands between physical addresses and a function's; VT-d's domain, or nothing. */
export interface AddressDomain {
  readonly isTranslated: boolean;
  /** The bus address of `lengthBytes` from physical `address` on; null: no room. */
  map(address: number, lengthBytes: number, direction: DmaDirection): number | null;
  unmap(busAddress: number, lengthBytes: number): void;
}

/** No IOMMU: addresses are physical. */
export const physicalAddresses: AddressDomain = {
  isTranslated: false,
  map: (address) => address,
  unmap: () => {},
};

const bothWays = DmaDirection.deviceReads | DmaDirection.deviceWrites;

class QtestMapping implements DmaMapping {
  /** In its port's list. */
  place = -1;
  readonly lengthBytes: number;
  readonly direction: DmaDirection;
  readonly busAddress: number;
  readonly shared: Uint8Array;
  /** The caller's memory, when `shared` is a copy. */
  readonly original: Uint8Array | null;
  /** Of a copy that both sides write: what they last had in common. */
  readonly agreed: Uint8Array | null;

  constructor(busAddress: number, direction: DmaDirection, shared: Uint8Array, original: Uint8Array | null) {
    this.lengthBytes = shared.length;
    this.direction = direction;
    this.busAddress = busAddress;
    this.shared = shared;
    this.original = original;
    this.agreed = original !== null && direction === bothWays ? shared.slice() : null;
  }

  get segmentCount(): number {
    return 1;
  }

  get firstAddress(): number {
    return this.busAddress;
  }

  /** Made when asked for: the data path wants the address alone. */
  get segments(): readonly DmaSegment[] {
    return [{ address: this.busAddress, lengthBytes: this.lengthBytes }];
  }

  get isBounced(): boolean {
    return this.original !== null;
  }
}

export class QtestDma implements DmaPort {
  readonly pageBytes = 4096;
  readonly #arena: RamArena;
  readonly #domain: AddressDomain;
  readonly #mappings = new PlacedList<QtestMapping>();
  /** Those among them that are copies which both sides write. */
  readonly #copies = new Set<QtestMapping>();

  constructor(arena: RamArena, domain: AddressDomain) {
    this.#arena = arena;
    this.#domain = domain;
  }

  get isTranslated(): boolean {
    return this.#domain.isTranslated;
  }

  get mappingCount(): number {
    return this.#mappings.items.length;
  }

  map(
    memory: Uint8Array,
    direction: DmaDirection,
    _owner: string,
    limits: DmaLimits = unlimitedDma,
  ): DmaMapping | DmaRefusal {
    const { addressBits, alignmentBytes } = limits;
    if (memory.length === 0 || direction === DmaDirection.none || !(addressBits >= 16) || alignmentBytes < 1)
      return DmaRefusal.badRequest;
    const own = this.#arena.addressOf(memory);
    const isUsable = own !== null && own % alignmentBytes === 0;
    let shared = memory;
    if (!isUsable) {
      try {
        shared = this.#arena.allocate(memory.length);
      } catch {
        return DmaRefusal.noRoom;
      }
      if ((direction & DmaDirection.deviceReads) !== 0) shared.set(memory);
    }
    const busAddress = this.#domain.map(this.#arena.addressOf(shared) as number, shared.length, direction);
    if (busAddress === null) {
      if (!isUsable) this.#arena.release(shared);
      return DmaRefusal.noRoom;
    }
    if (busAddress + shared.length > 2 ** addressBits) {
      this.#domain.unmap(busAddress, shared.length);
      if (!isUsable) this.#arena.release(shared);
      return DmaRefusal.noRoom;
    }
    const mapping = new QtestMapping(busAddress, direction, shared, isUsable ? null : memory);
    this.#mappings.add(mapping);
    if (mapping.agreed !== null) this.#copies.add(mapping);
    return mapping;
  }

  /**
   * Makes copies that both sides write the same again: a ring in memory that QEMU does not share, as a dext in WebAssembly has it.
   * The port calls it before a register is written, after one was read, and before a message is delivered: what PCI Express
   * orders. A byte that both sides have changed is the driver's.
   */
  carry(): void {
    for (const { agreed, original, shared } of this.#copies) {
      if (agreed === null || original === null) continue;
      for (let at = 0; at < agreed.length; at++) {
        const own = original[at];
        if (own !== agreed[at]) {
          shared[at] = own;
          agreed[at] = own;
          continue;
        }
        const theirs = shared[at];
        if (theirs === agreed[at]) continue;
        original[at] = theirs;
        agreed[at] = theirs;
      }
    }
  }

  unmap(mapping: DmaMapping): void {
    if (!(mapping instanceof QtestMapping) || !this.#mappings.delete(mapping))
      throw new ContractViolation("dma-unmapped-twice", `${mapping.lengthBytes} bytes`);
    if (this.#copies.has(mapping)) this.carry();
    this.#copies.delete(mapping);
    this.#domain.unmap(mapping.busAddress, mapping.lengthBytes);
    if (mapping.original === null) return;
    if (mapping.agreed === null && (mapping.direction & DmaDirection.deviceWrites) !== 0)
      mapping.original.set(mapping.shared);
    this.#arena.release(mapping.shared);
  }
}
