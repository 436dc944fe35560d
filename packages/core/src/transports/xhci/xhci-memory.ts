// Memory that driver and controller share: contexts, rings, scratchpads, each mapped for DMA until it is given back.

import { DmaDirection, type DmaMapping, type DmaPort, type HostMemory } from "../../ports/dma.ts";

/** Contexts and rings begin on multiples of it (xHCI 1.2 table 6-1 asks for 64 or 16). */
const limits = { addressBits: 53, alignmentBytes: 64 };

/** A piece of it. */
export interface SharedBlock {
  readonly bytes: Uint8Array;
  readonly address: number;
}

/** There is none left, or no mapping of one piece. */
export class XhciMemoryError extends Error {
  override readonly name = "XhciMemoryError";
}

export class XhciMemory {
  readonly #dma: DmaPort;
  readonly #memory: HostMemory | null;
  readonly #given = new Map<SharedBlock, { readonly mapping: DmaMapping; readonly owner: string }>();

  constructor(dma: DmaPort, memory: HostMemory | null) {
    this.#dma = dma;
    this.#memory = memory;
  }

  /** The controller reaches a memory of its own kind only. */
  get isApart(): boolean {
    return this.#memory !== null;
  }

  /** Whose each piece is that has not been given back. */
  get owners(): string[] {
    return [...this.#given.values()].map(({ owner }) => owner);
  }

  /** Zeroed and in one piece. XhciMemoryError when there is none. */
  allocate(lengthBytes: number, owner: string): SharedBlock {
    let bytes: Uint8Array;
    try {
      bytes = this.#memory?.allocate(lengthBytes) ?? new Uint8Array(lengthBytes);
    } catch (error) {
      throw new XhciMemoryError(error instanceof Error ? error.message : String(error));
    }
    const mapping = this.#dma.map(bytes, DmaDirection.both, owner, limits);
    if (typeof mapping === "number" || mapping.segmentCount !== 1 || mapping.isBounced) {
      if (typeof mapping !== "number") this.#dma.unmap(mapping);
      this.#memory?.release(bytes);
      throw new XhciMemoryError(`no memory for ${owner} that the controller reaches in one piece`);
    }
    const block = { bytes, address: mapping.firstAddress };
    this.#given.set(block, { mapping, owner });
    return block;
  }

  /** The controller uses it no more. Twice is ignored. */
  release(block: SharedBlock | null): void {
    const given = block === null ? undefined : this.#given.get(block);
    if (block === null || given === undefined) return;
    this.#given.delete(block);
    this.#dma.unmap(given.mapping);
    this.#memory?.release(block.bytes);
  }

  releaseAll(): void {
    for (const block of [...this.#given.keys()]) this.release(block);
  }
}
