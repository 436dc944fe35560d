// Guest RAM that both sides see: an allocator over it, and the addresses of what it gave.

import type { HostMemory } from "../../ports/dma.ts";

/** Below lie vectors and ROM shadows of a PC. */
const firstByte = 1 << 20;
export const arenaPageBytes = 4096;

/** Whole pages, first fit in size classes of pages; freed pages are zeroed when they are given again. */
export class RamArena implements HostMemory {
  readonly bytes: Uint8Array;
  readonly #free = new Map<number, number[]>();
  readonly #sizes = new Map<number, number>();
  #next = firstByte;

  /** `bytes`: RAM from physical address 0 on. */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** Bytes in use. */
  get usedBytes(): number {
    let sum = 0;
    for (const pages of this.#sizes.values()) sum += pages * arenaPageBytes;
    return sum;
  }

  allocate(lengthBytes: number): Uint8Array {
    const pages = Math.max(1, Math.ceil(lengthBytes / arenaPageBytes));
    let at = this.#free.get(pages)?.pop();
    if (at === undefined) {
      at = this.#next;
      if (at + pages * arenaPageBytes > this.bytes.length)
        throw new RangeError(`the ${this.bytes.length >>> 20} MiB that QEMU shares are used up`);
      this.#next += pages * arenaPageBytes;
    }
    this.#sizes.set(at, pages);
    const memory = this.bytes.subarray(at, at + lengthBytes);
    memory.fill(0);
    return memory;
  }

  release(memory: Uint8Array): void {
    const at = this.addressOf(memory);
    const pages = at === null ? undefined : this.#sizes.get(at);
    if (at === null || pages === undefined) return;
    this.#sizes.delete(at);
    const list = this.#free.get(pages) ?? [];
    list.push(at);
    this.#free.set(pages, list);
  }

  /** Physical address; null: the memory lies elsewhere. */
  addressOf(memory: Uint8Array): number | null {
    if (memory.buffer !== this.bytes.buffer) return null;
    const at = memory.byteOffset - this.bytes.byteOffset;
    return at >= 0 && at + memory.length <= this.bytes.length ? at : null;
  }
}
