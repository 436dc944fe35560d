// A hand at a rig's network: opens the first interface, sends frames, and says how many came back as they were.

import { macAddressBytes, minimumFrameBytes } from "@drydock/core/codec/ethernet/ethernet";
import type { IOEthernetInterface } from "@drydock/core/families/network/io-ethernet-interface";
import { type EthernetClient, EthernetSend } from "@drydock/core/ports/ethernet";

/** Whom the frames are for: locally administered, and nobody's. */
const farEnd = Uint8Array.of(0x02, 0xdd, 0xff, 0, 0, 1);
/** Local experimental EtherType (IEEE 802 §9.2.4). */
const etherType = 0x88b5;

export class NetworkHand implements EthernetClient {
  readonly #interfaces: () => readonly IOEthernetInterface[];
  readonly #onSaid: (text: string) => void;
  readonly #frame = new Uint8Array(minimumFrameBytes);
  #held: IOEthernetInterface | null = null;
  #isEnabled = false;
  #toSend = 0;
  #sent = 0;
  #back = 0;
  #wanted = 0;

  constructor(interfaces: () => readonly IOEthernetInterface[], onSaid: (text: string) => void) {
    this.#interfaces = interfaces;
    this.#onSaid = onSaid;
  }

  /** Begins; the end is said. Answers why not; empty when it has begun. */
  begin(count: number): string {
    const there = this.#interfaces().find(({ isGone }) => !isGone);
    if (there === undefined) return "no network interface has come up yet: let time go on";
    if (this.#toSend > 0) return "frames are under way: let time go on";
    if (!there.link.isUp) return "its link is down: plug its network cable in, or let time go on";
    if (this.#held !== there) {
      const refusal = there.open(this);
      if (refusal !== null) return refusal;
      this.#held = there;
      this.#isEnabled = false;
    }
    this.#wanted = count;
    this.#toSend = count;
    this.#sent = 0;
    this.#back = 0;
    if (this.#isEnabled) this.#pump();
    return "";
  }

  #pump(): void {
    const held = this.#held;
    while (held !== null && this.#isEnabled && this.#toSend > 0) {
      const frame = this.#frame;
      frame.set(farEnd);
      frame.set(held.macAddress, macAddressBytes);
      frame[12] = etherType >> 8;
      frame[13] = etherType & 0xff;
      // Each frame another one: its number, over and over.
      for (let at = 14; at < frame.length; at++) frame[at] = (this.#sent >> (8 * (at & 1))) & 0xff;
      const answer = held.send(frame, 0, frame.length);
      if (answer === EthernetSend.full) return;
      if (answer !== EthernetSend.accepted) {
        this.#ended("The interface takes no frames.");
        return;
      }
      this.#sent++;
      this.#toSend--;
    }
  }

  enabled(): void {
    this.#isEnabled = true;
    this.#pump();
  }

  writable(): void {
    this.#pump();
  }

  linkChanged(): void {}

  frame(bytes: Uint8Array, offset: number): void {
    if (bytes[offset + 12] !== etherType >> 8 || bytes[offset + 13] !== (etherType & 0xff)) return;
    this.#back++;
    if (this.#back === this.#wanted) this.#onSaid(`${this.#back} of ${this.#wanted} frames came back.`);
  }

  hungUp(): void {
    const isUnderWay = this.#back < this.#wanted;
    this.#held = null;
    this.#isEnabled = false;
    if (isUnderWay) this.#ended(`The interface is gone: ${this.#back} of ${this.#wanted} frames came back.`);
  }

  #ended(text: string): void {
    this.#toSend = 0;
    this.#wanted = 0;
    this.#onSaid(text);
  }
}
