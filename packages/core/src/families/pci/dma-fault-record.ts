// What macOS 26 keeps of refused accesses: twenty bytes an event, in a property of the nub, until read.

import type { PropertyValue } from "../../platform/properties.ts";

export const dmaFaultKey = "pci-dart-error-data";
const eventBytes = 20;
/** Appended while nobody reads; a device that goes on for ever fills no memory (Apple's limit: unknown). */
const eventsMaximum = 256;

/**
 * Five words of 32 bits, whose meaning nobody has published: here they hold the address, for a bench to tell events apart. A
 * read takes nothing away; it makes the next event begin a fresh value (posts.md T6).
 */
export class DmaFaultRecord {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #isRead = false;

  /** Puts the property into a nub's table; whoever looks at it there has read it. */
  constructor(properties: Record<string, PropertyValue>) {
    Object.defineProperty(properties, dmaFaultKey, {
      configurable: true,
      enumerable: true,
      get: () => {
        this.#isRead = true;
        return this.#bytes;
      },
    });
  }

  add(address: number): void {
    const before = this.#isRead ? new Uint8Array(0) : this.#bytes;
    this.#isRead = false;
    if (before.length >= eventsMaximum * eventBytes) return;
    const bytes = new Uint8Array(before.length + eventBytes);
    bytes.set(before);
    const view = new DataView(bytes.buffer);
    view.setUint32(before.length, Math.floor(address / 4294967296), true);
    view.setUint32(before.length + 4, address >>> 0, true);
    this.#bytes = bytes;
  }
}
