// QEMU's edu device as a doorbell: messages written to it become interrupt lines that a qtest client can see.

import { interceptRequest, readRequest, writeRequest } from "../../codec/qtest/qtest.ts";
import type { PciMessage } from "../../ports/pci-host.ts";
import type { QtestClient } from "./qtest-client.ts";

/** Registers of edu. */
const statusOffset = 0x24;
const raiseOffset = 0x60;
const acknowledgeOffset = 0x64;
/** Message data has 16 bits, and each vector wants one of its own. */
const vectorsMaximum = 16;

/**
 * Each message sets a bit; the first raises edu's line. Bits are read, acknowledged, and read again until none is left:
 * a message that comes meanwhile makes no new edge, and one that comes before the acknowledge none of its own.
 */
export class Doorbell {
  readonly #client: QtestClient;
  readonly #base: number;
  readonly #line: number;
  /** By bit. */
  readonly #deliver: ((() => void) | null)[] = new Array(vectorsMaximum).fill(null);
  #isReading = false;
  /** Told of inputs that are not edu's: the lines of functions without messages. */
  onOtherLine: ((line: number, isRaised: boolean) => void) | null = null;

  /** `base`: edu's BAR 0; `line`: the interrupt controller's input that edu's pin reaches. */
  constructor(client: QtestClient, base: number, line: number) {
    this.#client = client;
    this.#base = base;
    this.#line = line;
  }

  /** The page that messages are written to: an IOMMU has to let them through. */
  get address(): number {
    return this.#base;
  }

  start(): void {
    this.#client.onInterrupt = (line, isRaised) => {
      if (line !== this.#line) this.onOtherLine?.(line, isRaised);
      else if (isRaised) this.#read();
    };
    this.#client.send(interceptRequest("ioapic"));
  }

  /** Up to `count` messages, fewer when the bits run out. `deliver` gets the index in the answer. */
  allocate(count: number, deliver: (vector: number) => void): PciMessage[] {
    const messages: PciMessage[] = [];
    for (let bit = 0; bit < vectorsMaximum && messages.length < count; bit++) {
      if (this.#deliver[bit] !== null) continue;
      const vector = messages.length;
      this.#deliver[bit] = () => deliver(vector);
      messages.push({ address: this.#base + raiseOffset, data: 1 << bit });
    }
    return messages;
  }

  /** The function has left: its bits are another's. */
  release(messages: readonly PciMessage[]): void {
    for (const { data } of messages) this.#deliver[Math.log2(data)] = null;
  }

  #read(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    this.#client.send(readRequest(this.#base + statusOffset, 4), (bits) => this.#taken(bits & 0xffff));
  }

  #taken(bits: number): void {
    this.#isReading = false;
    if (bits === 0) return;
    // The drivers look once the acknowledge has taken place: a message between their look and it would be cleared unseen.
    this.#client.send(writeRequest(this.#base + acknowledgeOffset, 4, bits), () => this.#hand(bits));
    // What arrives after the acknowledge shows in this read.
    this.#read();
  }

  #hand(bits: number): void {
    for (let bit = 0; bit < vectorsMaximum; bit++) if ((bits & (1 << bit)) !== 0) this.#deliver[bit]?.();
  }
}
