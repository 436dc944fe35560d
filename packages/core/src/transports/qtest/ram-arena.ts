// Guest RAM that both sides see: an allocator over it, and the addresses of what it gave.

import type { HostMemory } from "../../ports/dma.ts";

/** Below lie vectors and ROM shadows of a PC. */
const firstByte = 1 << 20;
export const arenaPageBytes = 4096;

/** Pages that were given once: what they are is kept with them. */
interface Block {
  readonly pages: number;
  /** All of it. */
  readonly memory: Uint8Array;
  isGiven: boolean;
}

/** Whole pages, first fit in size classes of pages; freed pages are zeroed when they are given again. */
export class RamArena implements HostMemory {
  readonly bytes: Uint8Array;
  /** By size in pages. */
  readonly #free: Block[][] = [];
  /** By the number of the first page. */
  readonly #blocks: (Block | undefined)[] = [];
  #usedPages = 0;
  #next = firstByte;

  /** `bytes`: RAM from physical address 0 on. */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** Bytes in use. */
  get usedBytes(): number {
    return this.#usedPages * arenaPageBytes;
  }

  /** RangeError when there is no room. */
  allocate(lengthBytes: number): Uint8Array {
    const pages = Math.max(1, Math.ceil(lengthBytes / arenaPageBytes));
    const block = this.#free[pages]?.pop() ?? this.#newBlock(pages);
    block.isGiven = true;
    this.#usedPages += pages;
    const { memory } = block;
    memory.fill(0);
    return lengthBytes === memory.length ? memory : memory.subarray(0, lengthBytes);
  }

  release(memory: Uint8Array): void {
    const at = this.addressOf(memory);
    const block = at === null ? undefined : this.#blocks[at / arenaPageBytes];
    if (block === undefined || !block.isGiven) return;
    block.isGiven = false;
    this.#usedPages -= block.pages;
    this.#free[block.pages] ??= [];
    this.#free[block.pages].push(block);
  }

  /** Physical address; null: the memory lies elsewhere. */
  addressOf(memory: Uint8Array): number | null {
    if (memory.buffer !== this.bytes.buffer) return null;
    const at = memory.byteOffset - this.bytes.byteOffset;
    return at >= 0 && at + memory.length <= this.bytes.length ? at : null;
  }

  #newBlock(pages: number): Block {
    const at = this.#next;
    const end = at + pages * arenaPageBytes;
    if (end > this.bytes.length)
      throw new RangeError(`the ${this.bytes.length >>> 20} MiB that QEMU shares are used up`);
    this.#next = end;
    const block: Block = { pages, memory: this.bytes.subarray(at, end), isGiven: false };
    this.#blocks[at / arenaPageBytes] = block;
    return block;
  }
}
