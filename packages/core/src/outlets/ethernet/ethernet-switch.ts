// A switch in this process: interfaces, adapters' cables, sockets and stations on one segment. IEEE 802.1Q §8.

import { isGroupAddress, macAddressBytes } from "../../codec/ethernet/ethernet.ts";
import { isForThisCable } from "../../codec/ethernet/pause.ts";
import type { FrameTaker } from "../../ports/ethernet.ts";

/** Addresses that it remembers; beyond them the oldest is forgotten, and its frames go everywhere again. */
const tableMaximum = 1024;

/** One port: what is plugged in gives frames to it. */
export interface SwitchPort extends FrameTaker {
  /** Takes the plug out; frames for it are flooded from then on. */
  leave(): void;
}

/**
 * Learns where stations are by what they send; floods groups and whom it does not know. Never sends back where it came from, and
 * does not pass on what is for one cable only (§8.6.3).
 */
export class EthernetSwitch {
  readonly #ports = new Set<Port>();
  readonly #places = new Map<number, Port>();

  /** `to` takes what the switch sends out of this port. */
  join(to: FrameTaker): SwitchPort {
    const port = new Port(this, to);
    this.#ports.add(port);
    return port;
  }

  /** Called by a port. */
  forward(from: Port, bytes: Uint8Array, offset: number, length: number): void {
    if (length < macAddressBytes * 2 || isForThisCable(bytes, offset)) return;
    if (!isGroupAddress(bytes, offset + macAddressBytes))
      this.#learn(addressAt(bytes, offset + macAddressBytes), from);
    const known = isGroupAddress(bytes, offset) ? undefined : this.#places.get(addressAt(bytes, offset));
    if (known !== undefined) {
      if (known !== from) known.to.frame(bytes, offset, length);
      return;
    }
    for (const port of this.#ports) if (port !== from) port.to.frame(bytes, offset, length);
  }

  #learn(address: number, port: Port): void {
    if (this.#places.get(address) === port) return;
    this.#places.delete(address);
    if (this.#places.size >= tableMaximum) {
      const [oldest] = this.#places.keys();
      this.#places.delete(oldest);
    }
    this.#places.set(address, port);
  }

  /** Called by a port. */
  forget(port: Port): void {
    this.#ports.delete(port);
    for (const [address, at] of this.#places) if (at === port) this.#places.delete(address);
  }
}

class Port implements SwitchPort {
  readonly to: FrameTaker;
  readonly #owner: EthernetSwitch;
  #hasLeft = false;

  constructor(owner: EthernetSwitch, to: FrameTaker) {
    this.#owner = owner;
    this.to = to;
  }

  frame(bytes: Uint8Array, offset: number, length: number): void {
    if (!this.#hasLeft) this.#owner.forward(this, bytes, offset, length);
  }

  leave(): void {
    this.#hasLeft = true;
    this.#owner.forget(this);
  }
}

/** 48 bits as a number. */
function addressAt(bytes: Uint8Array, at: number): number {
  let high = 0;
  let low = 0;
  for (let index = 0; index < 2; index++) high = high * 256 + bytes[at + index];
  for (let index = 2; index < macAddressBytes; index++) low = low * 256 + bytes[at + index];
  return high * 4294967296 + low;
}
