// The interrupt specifiers of a PCI function: the legacy line first, messages appended (posts.md T8).

import type { Nanoseconds } from "../../base/clock.ts";
import { type IOReturn, IOReturns } from "../../base/io-return.ts";
import type { MsiXCapability } from "../../codec/pci/capabilities.ts";
import { msiXControlOffset, msiXEnable, msiXEntryBytes } from "../../codec/pci/capabilities.ts";
import type { PciHostPort } from "../../ports/pci-host.ts";
import {
  kIOInterruptTypeLevel,
  kIOInterruptTypePCIMessaged,
  kIOInterruptTypePCIMessagedX,
} from "../../runtime/dispatch-source.ts";

type Handler = (timeNs: Nanoseconds) => void;

/** What a specifier stands for. */
interface Specifier {
  readonly type: number;
  /** The host's message; -1 for the line. */
  readonly message: number;
  handler: Handler | null;
}

/**
 * Index, type, registration. A host that grants fewer messages than the table has entries serves several entries with
 * one message, so that more specifiers can appear than were asked for.
 */
export class PciInterrupts {
  readonly #port: PciHostPort;
  readonly #specifiers: Specifier[] = [];
  readonly #now: () => Nanoseconds;
  #granted = 0;
  /** Messages that came for nobody. */
  unclaimed = 0;

  constructor(port: PciHostPort, now: () => Nanoseconds) {
    this.#port = port;
    this.#now = now;
  }

  /** The function has a pin: its specifier comes before any message. */
  addLine(): void {
    this.#specifiers.unshift({ type: kIOInterruptTypeLevel, message: -1, handler: null });
  }

  get count(): number {
    return this.#specifiers.length;
  }

  type(index: number): number | null {
    return this.#specifiers[index]?.type ?? null;
  }

  register(index: number, handler: Handler): IOReturn {
    const specifier = this.#specifiers[index];
    if (specifier === undefined) return IOReturns.kIOReturnBadArgument;
    if (specifier.handler !== null) return IOReturns.kIOReturnNoResources;
    specifier.handler = handler;
    return IOReturns.kIOReturnSuccess;
  }

  unregister(index: number): void {
    const specifier = this.#specifiers[index];
    if (specifier !== undefined) specifier.handler = null;
  }

  unregisterAll(): void {
    for (const specifier of this.#specifiers) specifier.handler = null;
  }

  /**
   * ConfigureInterrupts. `capability` and `offset`: the function's MSI-X; null when it has none. Programs the table with
   * what the host grants and switches MSI-X on. A second call succeeds only if the first allocation satisfies it.
   */
  configure(
    type: number,
    required: number,
    requested: number,
    capability: MsiXCapability | null,
    capabilityOffset: number,
  ): IOReturn {
    if (required === 0 || requested === 0 || required > requested) return IOReturns.kIOReturnBadArgument;
    if ((type & kIOInterruptTypePCIMessagedX) === 0 || capability === null)
      return IOReturns.kIOReturnUnsupported;
    if (this.#granted > 0)
      return this.#granted >= required ? IOReturns.kIOReturnSuccess : IOReturns.kIOReturnNoResources;
    const wanted = Math.min(requested, capability.vectors);
    const messages = this.#port.messages(wanted);
    const granted = Math.min(messages.length, wanted);
    if (granted < required) return IOReturns.kIOReturnNoResources;
    const range = this.#port.ranges.findIndex(({ barIndex }) => barIndex === capability.tableBar);
    if (range < 0) return IOReturns.kIOReturnNoMemory;
    const isShared = granted < capability.vectors && granted < requested;
    const entries = isShared ? capability.vectors : granted;
    for (let entry = 0; entry < entries; entry++) {
      const message = entry % granted;
      const { address, data } = messages[message];
      const at = capability.tableOffset + entry * msiXEntryBytes;
      this.#port.memoryWrite(range, at, 4, address >>> 0, 0);
      this.#port.memoryWrite(range, at + 4, 4, Math.floor(address / 4294967296), 0);
      this.#port.memoryWrite(range, at + 8, 4, data, 0);
      this.#port.memoryWrite(range, at + 12, 4, 0, 0);
      // An MSI-X vector reports both messaged bits.
      const bits = kIOInterruptTypePCIMessaged | kIOInterruptTypePCIMessagedX;
      this.#specifiers.push({ type: bits, message, handler: null });
    }
    this.#port.configWrite(
      capabilityOffset + msiXControlOffset,
      2,
      ((capability.vectors - 1) | msiXEnable) & 0xffff,
    );
    this.#granted = granted;
    return IOReturns.kIOReturnSuccess;
  }

  message(vector: number): void {
    let isClaimed = false;
    const specifiers = this.#specifiers;
    for (let at = 0; at < specifiers.length; at++) {
      const { message, handler } = specifiers[at];
      if (message !== vector || handler === null) continue;
      isClaimed = true;
      handler(this.#now());
    }
    if (!isClaimed) this.unclaimed++;
  }

  line(isRaised: boolean): void {
    if (!isRaised) return;
    const specifier = this.#specifiers.find(({ message }) => message === -1);
    if (specifier?.handler == null) this.unclaimed++;
    else specifier.handler(this.#now());
  }
}
