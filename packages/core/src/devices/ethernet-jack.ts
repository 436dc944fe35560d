// The socket of an adapter model: a cable goes in, frames go both ways, and the chip is told of the link.

import type { FrameTaker } from "../ports/ethernet.ts";
import type { EthernetPartner } from "./ethernet-partner.ts";

/** The chip behind the socket. */
export interface JackOwner extends FrameTaker {
  /** The cable came or went. */
  cableChanged(): void;
}

/** Give it to the far end as its taker of frames; give the far end to `plugIn`. With a partner PAUSE frames of the chip's are obeyed. */
export class EthernetJack implements FrameTaker {
  /** Frames that the chip sent while no cable was in. */
  lostFrames = 0;
  readonly #owner: JackOwner;
  readonly #partner: EthernetPartner | null;
  #far: FrameTaker | null = null;

  constructor(owner: JackOwner, partner: EthernetPartner | null = null) {
    this.#owner = owner;
    this.#partner = partner;
  }

  get isConnected(): boolean {
    return this.#far !== null;
  }

  /** Puts the cable in; another one is pulled first. */
  plugIn(far: FrameTaker): void {
    if (this.#far !== null) this.pullOut();
    this.#far = far;
    this.#owner.cableChanged();
  }

  pullOut(): void {
    if (this.#far === null) return;
    this.#far = null;
    this.#partner?.clear();
    this.#owner.cableChanged();
  }

  /** The chip sends. */
  transmit(bytes: Uint8Array, offset: number, length: number): void {
    if (this.#far === null) this.lostFrames++;
    else if (this.#partner?.obey(bytes, offset, length) !== true) this.#far.frame(bytes, offset, length);
  }

  /** The far end sends. Ignored without a cable. */
  frame(bytes: Uint8Array, offset: number, length: number): void {
    if (this.#far !== null) (this.#partner ?? this.#owner).frame(bytes, offset, length);
  }
}
