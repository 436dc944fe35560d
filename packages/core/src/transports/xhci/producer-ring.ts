// A ring that we fill and the controller reads: cycle bits, the link at its end, whose each TRB is (xHCI 1.2 §4.9).

import { putU32le } from "../../base/bytes.ts";
import { highHalf, lowHalf, type Trb, TrbFlag, TrbType, trbBytes, writeTrb } from "../../codec/xhci/trb.ts";

/** `Owner` is who waits for a TRB's event. */
export class ProducerRing<Owner> {
  /** TRBs without the link. */
  readonly capacity: number;
  readonly address: number;
  /** By TRB; null where none is under way. */
  readonly owners: (Owner | null)[];
  /** By TRB: bytes of its transfer up to its end, and its own. */
  readonly ends: Uint32Array;
  readonly lengths: Uint32Array;
  readonly #bytes: Uint8Array;
  #enqueue = 0;
  #cycle = 1;
  #used = 0;
  /** The first TRB of what is being pushed, handed over last. */
  #heldAt = -1;
  #heldControl = 0;
  #isChained = false;
  #last = 0;

  /** `bytes` at bus address `address`: TRBs, the last of which becomes the link. */
  constructor(bytes: Uint8Array, address: number) {
    this.#bytes = bytes;
    this.address = address;
    this.capacity = bytes.length / trbBytes - 1;
    this.owners = new Array(this.capacity).fill(null);
    this.ends = new Uint32Array(this.capacity);
    this.lengths = new Uint32Array(this.capacity);
    this.reset();
  }

  get room(): number {
    return this.capacity - this.#used;
  }

  /** Where the controller must look next to see what is pushed from now on: for contexts and Set TR Dequeue Pointer. */
  get enqueueAddress(): number {
    return this.address + this.#enqueue * trbBytes;
  }

  get cycle(): number {
    return this.#cycle;
  }

  /** Of the last TRB that was pushed. */
  get lastIndex(): number {
    return this.#last;
  }

  addressAt(index: number): number {
    return this.address + index * trbBytes;
  }

  /** -1: no TRB of this ring begins there, or the link does. */
  indexOf(address: number): number {
    const at = address - this.address;
    if (!(at >= 0) || at % trbBytes !== 0 || at >= this.capacity * trbBytes) return -1;
    return at / trbBytes;
  }

  /** Empty, from the start, with cycle 1. The controller must stand still. */
  reset(): void {
    this.#bytes.fill(0);
    this.owners.fill(null);
    this.#enqueue = 0;
    this.#cycle = 1;
    this.#used = 0;
    this.#heldAt = -1;
    this.#writeLink(0);
  }

  /**
   * The next TRB of a transfer; the caller has seen that there is room. The first is not the controller's before
   * `handOver`, so that it never sees half a transfer.
   */
  push(trb: Trb, owner: Owner, endBytes: number, lengthBytes: number): void {
    const at = this.#enqueue;
    const isFirst = this.#heldAt < 0;
    const cycle = isFirst ? this.#cycle ^ 1 : this.#cycle;
    const control = (trb.control & ~TrbFlag.cycle) >>> 0;
    if (isFirst) {
      this.#heldAt = at;
      this.#heldControl = (control | this.#cycle) >>> 0;
    }
    trb.control = (control | cycle) >>> 0;
    writeTrb(this.#bytes, at * trbBytes, trb);
    this.owners[at] = owner;
    this.ends[at] = endBytes;
    this.lengths[at] = lengthBytes;
    this.#isChained = (control & TrbFlag.chain) !== 0;
    this.#last = at;
    this.#used++;
    this.#enqueue++;
    if (this.#enqueue < this.capacity) return;
    // The link belongs to the transfer that crosses it (§4.11.5.1).
    this.#writeLink(this.#isChained ? TrbFlag.chain : 0, this.#cycle);
    this.#enqueue = 0;
    this.#cycle ^= 1;
  }

  /** All that was pushed is the controller's. */
  handOver(): void {
    if (this.#heldAt < 0) return;
    putU32le(this.#bytes, this.#heldAt * trbBytes + 12, this.#heldControl);
    this.#heldAt = -1;
  }

  /** `count` TRBs from `first` on are over. */
  free(first: number, count: number): void {
    for (let step = 0, at = first; step < count; step++, at = (at + 1) % this.capacity)
      this.owners[at] = null;
    this.#used -= count;
  }

  /** Everything from the oldest TRB that is under way up to `index`, that one too, is over. */
  freeBefore(index: number): void {
    const oldest = (this.#enqueue - this.#used + this.capacity) % this.capacity;
    const count = ((index - oldest + this.capacity) % this.capacity) + 1;
    if (count <= this.#used) this.free(oldest, count);
  }

  #writeLink(flags: number, cycle = 0): void {
    const control = ((TrbType.link << 10) | TrbFlag.toggleCycle | flags | cycle) >>> 0;
    const trb = { low: lowHalf(this.address), high: highHalf(this.address), status: 0, control };
    writeTrb(this.#bytes, this.capacity * trbBytes, trb);
  }
}
