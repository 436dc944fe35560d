// A PCI port whose mapper works on copies: memory that a device cannot reach, as the kernel bounces it (posts.md T6).

import { ContractViolation } from "../base/errors.ts";
import {
  DmaDirection,
  type DmaLimits,
  type DmaMapping,
  type DmaPort,
  type DmaRefusal,
} from "../ports/dma.ts";
import type { PciHostPort } from "../ports/pci-host.ts";

/** Same type in, same type out. What a device writes shows in the caller's memory at `unmap`, and not before. */
export function withBouncedDma(port: PciHostPort): PciHostPort {
  const dma = new BouncedDma(port.dma);
  return new Proxy(port, {
    get: (target, key) => {
      if (key === "dma") return dma;
      const value = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

class BouncedDma implements DmaPort {
  readonly #dma: DmaPort;
  readonly #held = new Map<
    DmaMapping,
    { readonly inner: DmaMapping; copy: Uint8Array; memory: Uint8Array }
  >();

  constructor(dma: DmaPort) {
    this.#dma = dma;
  }

  get pageBytes(): number {
    return this.#dma.pageBytes;
  }

  get isTranslated(): boolean {
    return this.#dma.isTranslated;
  }

  get mappingCount(): number {
    return this.#held.size;
  }

  map(
    memory: Uint8Array,
    direction: DmaDirection,
    owner: string,
    limits?: DmaLimits,
  ): DmaMapping | DmaRefusal {
    // Memory that both sides use all the time (queues) is made where the device reaches it.
    if (direction === DmaDirection.both) return this.#dma.map(memory, direction, owner, limits);
    const copy = memory.slice();
    const inner = this.#dma.map(copy, direction, owner, limits);
    if (typeof inner === "number") return inner;
    const { firstAddress, lengthBytes, segmentCount, segments } = inner;
    const mapping = { firstAddress, lengthBytes, segmentCount, segments, isBounced: true };
    this.#held.set(mapping, { inner, copy, memory });
    return mapping;
  }

  unmap(mapping: DmaMapping): void {
    const held = this.#held.get(mapping);
    if (held === undefined) {
      if ("isBounced" in mapping && mapping.isBounced)
        throw new ContractViolation("dma-unmapped-twice", "bounced");
      this.#dma.unmap(mapping);
      return;
    }
    this.#held.delete(mapping);
    this.#dma.unmap(held.inner);
    held.memory.set(held.copy);
  }
}
