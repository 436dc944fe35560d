// What a driver read of its registers, lately: who, where, when, and how it ended (posts.md F02).

import type { Nanoseconds } from "../../base/clock.ts";
import { hex } from "../../base/text.ts";
import type { PciStatus } from "../../ports/pci-host.ts";

/** One read of a register by a plain load. */
export interface RegisterRead {
  readonly timeNs: Nanoseconds;
  readonly barIndex: number;
  readonly offset: number;
  /** The driver's method, or the thread when none is known. */
  readonly caller: string;
  /** Null while it is under way. */
  status: PciStatus | null;
}

/** "BAR0+0x8 by P14Driver::TimerOccurred_Impl". */
export function describeRead(read: RegisterRead): string {
  return `BAR${read.barIndex}+0x${hex(read.offset)} by ${read.caller}`;
}

const kept = 512;

/** A ring: a driver that polls for days fills no memory. */
export class RegisterReads {
  readonly #ring: RegisterRead[] = [];
  #count = 0;

  /** Reads by plain loads since the device came. */
  get count(): number {
    return this.#count;
  }

  add(read: RegisterRead): void {
    if (this.#ring.length < kept) this.#ring.push(read);
    else this.#ring[this.#count % kept] = read;
    this.#count++;
  }

  /** The last ones, oldest first. */
  recent(): RegisterRead[] {
    const at = this.#count % kept;
    return this.#ring.length < kept ? [...this.#ring] : [...this.#ring.slice(at), ...this.#ring.slice(0, at)];
  }
}
