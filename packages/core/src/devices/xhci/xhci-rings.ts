// What the controller reads and writes of its rings: TRBs from a producer, links followed; events, with room kept.

import {
  addressOf,
  highHalf,
  lowHalf,
  newTrb,
  readTrb,
  type Trb,
  TrbFlag,
  TrbType,
  trbBytes,
  trbTypeOf,
  writeTrb,
} from "../../codec/xhci/trb.ts";

/** Memory of the host. False: nobody allowed it. */
export interface BusMemory {
  read(address: number, into: Uint8Array): boolean;
  write(address: number, from: Uint8Array): void;
}

/** Links in a row: a ring of nothing but links is nobody's work. */
const linksMaximum = 16;

export interface FetchedTrb extends Trb {
  readonly address: number;
}

/** A place in a producer's ring. */
export class RingReader {
  address = 0;
  cycle = 1;
  readonly #bytes = new Uint8Array(trbBytes);

  set(address: number, cycle: number): void {
    this.address = address;
    this.cycle = cycle;
  }

  copyFrom(other: RingReader): void {
    this.set(other.address, other.cycle);
  }

  /** The next TRB that is ours, and past it. Null: the producer has made none. "refused": memory did not answer. */
  next(memory: BusMemory): FetchedTrb | null | "refused" {
    for (let links = 0; links < linksMaximum; links++) {
      if (!memory.read(this.address, this.#bytes)) return "refused";
      const trb = readTrb(this.#bytes, 0, newTrb());
      if ((trb.control & TrbFlag.cycle) !== this.cycle) return null;
      const address = this.address;
      if (trbTypeOf(trb.control) !== TrbType.link) {
        this.address += trbBytes;
        return { ...trb, address };
      }
      this.address = addressOf(trb.low & ~0xf, trb.high);
      if ((trb.control & TrbFlag.toggleCycle) !== 0) this.cycle ^= 1;
    }
    return null;
  }
}

/** The event ring of one segment (§4.9.4); what has no room waits. */
export class EventRing {
  readonly #waiting: Trb[] = [];
  readonly #bytes = new Uint8Array(trbBytes);
  #base = 0;
  #size = 0;
  #at = 0;
  #cycle = 1;
  /** Where software has read up to. */
  dequeue = 0;

  get isReady(): boolean {
    return this.#size > 0;
  }

  /** Something that software has not taken. */
  get isBehind(): boolean {
    return this.#size > 0 && this.dequeue !== this.#base + this.#at * trbBytes;
  }

  reset(): void {
    this.#waiting.length = 0;
    this.#base = 0;
    this.#size = 0;
  }

  start(base: number, size: number): void {
    this.#base = base;
    this.#size = size;
    this.#at = 0;
    this.#cycle = 1;
  }

  push(trb: Trb): void {
    this.#waiting.push({ ...trb });
  }

  /** Writes what there is room for; how many. */
  flush(memory: BusMemory): number {
    let count = 0;
    while (this.#waiting.length > 0 && this.#size > 0 && !this.#isFull()) {
      const trb = this.#waiting.shift() as Trb;
      trb.control = ((trb.control & ~TrbFlag.cycle) | this.#cycle) >>> 0;
      writeTrb(this.#bytes, 0, trb);
      memory.write(this.#base + this.#at * trbBytes, this.#bytes);
      this.#at++;
      if (this.#at === this.#size) {
        this.#at = 0;
        this.#cycle ^= 1;
      }
      count++;
    }
    return count;
  }

  #isFull(): boolean {
    return this.dequeue === this.#base + ((this.#at + 1) % this.#size) * trbBytes;
  }
}

export function pointerTrb(address: number, status: number, control: number): Trb {
  return { low: lowHalf(address), high: highHalf(address), status: status >>> 0, control: control >>> 0 };
}
