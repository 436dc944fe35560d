// Messages into shared RAM: a word for each vector, looked at by whoever has the time.

import { getU32le, putU32le } from "../../base/bytes.ts";
import type { PciMessage } from "../../ports/pci-host.ts";
import type { RamArena } from "./ram-arena.ts";

const vectorsMaximum = 64;

export class MemoryMessages {
  readonly #page: Uint8Array;
  readonly #address: number;
  readonly #deliver: ((() => void) | null)[] = new Array(vectorsMaximum).fill(null);

  constructor(arena: RamArena) {
    this.#page = arena.allocate(4096);
    this.#address = arena.addressOf(this.#page) as number;
  }

  /** The page that messages are written to: an IOMMU has to let them through. */
  get address(): number {
    return this.#address;
  }

  allocate(count: number, deliver: (vector: number) => void): PciMessage[] {
    const messages: PciMessage[] = [];
    for (let at = 0; at < vectorsMaximum && messages.length < count; at++) {
      if (this.#deliver[at] !== null) continue;
      const vector = messages.length;
      this.#deliver[at] = () => deliver(vector);
      messages.push({ address: this.#address + at * 4, data: 1 });
    }
    return messages;
  }

  release(messages: readonly PciMessage[]): void {
    for (const { address } of messages) this.#deliver[(address - this.#address) / 4] = null;
  }

  /** True when a message has come. Looks only. */
  get isDue(): boolean {
    for (let at = 0; at < vectorsMaximum; at++)
      if (this.#deliver[at] !== null && getU32le(this.#page, at * 4) !== 0) return true;
    return false;
  }

  /** Delivers what has come. The word is cleared before the driver looks: what comes later is seen later. */
  take(): void {
    for (let at = 0; at < vectorsMaximum; at++) {
      const deliver = this.#deliver[at];
      if (deliver === null || getU32le(this.#page, at * 4) === 0) continue;
      putU32le(this.#page, at * 4, 0);
      deliver();
    }
  }
}
