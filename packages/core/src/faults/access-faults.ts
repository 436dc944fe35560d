// Faults by access: every register access, DMA, interrupt and transfer has a number; a fault names one.

import { hex } from "../base/text.ts";
import { millisecond } from "../base/units.ts";

/** What passes between a driver and its device, as Solaris' fault injector (bofi) counts it, and a bus's transfers. */
export const accessKinds = [
  "config-read",
  "config-write",
  "register-read",
  "register-write",
  "dma-read",
  "dma-write",
  "interrupt",
  "transfer",
] as const;
export type AccessKind = (typeof accessKinds)[number];

export const accessFaultKinds = ["lost", "late", "wrong", "doubled"] as const;
export type AccessFaultKind = (typeof accessFaultKinds)[number];

/** One fault: the number-th access of its kind, from 1, is lost, late, wrong or doubled. */
export interface AccessFault {
  readonly fault: AccessFaultKind;
  readonly access: AccessKind;
  readonly number: number;
  /** How late. Default 5 ms. */
  readonly delayNs?: number;
  /** Which bit is wrong, counted from the first byte's lowest; beyond the data it starts again. Default 0. */
  readonly bit?: number;
}

export const defaultAccessDelayNs = 5 * millisecond;

/** An access as a recording has it. */
export interface AccessRow {
  readonly access: AccessKind;
  readonly number: number;
  /** "BAR0+0x1004", "endpoint 0x81, 13 bytes". */
  readonly where: string;
  /** Bytes of it that a bit may be wrong in; 0: none, or it never ended. */
  bytes: number;
  /** A transfer that ended well, or anything else that happened. */
  isDone: boolean;
  /** A later one on the same endpoint would take the double of it. */
  isRepeatable: boolean;
}

/** As people type it; a bit and a delay only where they are not the default: `wrong:dma-read:5:bit17`, `late:interrupt:3:100us`. */
export function describeFault({
  access,
  bit = 0,
  delayNs = defaultAccessDelayNs,
  fault,
  number,
}: AccessFault): string {
  const more =
    fault === "wrong" && bit > 0
      ? `:bit${bit}`
      : fault === "late" && delayNs !== defaultAccessDelayNs
        ? `:${delayNs / 1000}us`
        : "";
  return `${fault}:${access}:${number}${more}`;
}

/**
 * Counts accesses of one run, over all ports of its rig, and says which fault strikes. The same seed and the same faults are the
 * same run, so that a number names the same access in each run up to the first fault that fires.
 */
export class AccessFaults {
  readonly faults: readonly AccessFault[];
  /** By position in `faults`: it has struck. */
  readonly fired: boolean[];
  /** Accesses so far, by kind. */
  readonly counts: Record<AccessKind, number>;
  /** What was counted when the last fault struck. */
  countsAtLast: Readonly<Record<AccessKind, number>> | null = null;
  /** Every access, where one wants them; null: they are only counted. */
  readonly rows: AccessRow[] | null;
  readonly #byPlace = new Map<string, number>();

  constructor(faults: readonly AccessFault[], isRecording = false) {
    this.faults = faults;
    this.fired = faults.map(() => false);
    this.rows = isRecording ? [] : null;
    this.counts = Object.fromEntries(accessKinds.map((kind) => [kind, 0])) as Record<AccessKind, number>;
    for (const [at, { access, number }] of faults.entries()) this.#byPlace.set(`${access}:${number}`, at);
  }

  get isEveryFired(): boolean {
    return this.fired.every(Boolean);
  }

  /** A fault of the plan changes what is read or written: wrong data are nobody's lie then. */
  get mayLie(): boolean {
    return this.faults.some(
      ({ access, fault }) => access.startsWith("dma") || fault === "wrong" || fault === "doubled",
    );
  }

  /** One more access. The fault meant for it, or null. `where` is asked only while recording. */
  next(access: AccessKind, where: () => string, bytes: number, isDone = true): AccessFault | null {
    const number = ++this.counts[access];
    this.rows?.push({ access, number, where: where(), bytes, isDone, isRepeatable: true });
    if (this.#byPlace.size === 0) return null;
    const at = this.#byPlace.get(`${access}:${number}`);
    return at === undefined ? null : this.faults[at];
  }

  /** It has struck. */
  strike(fault: AccessFault): void {
    this.fired[this.faults.indexOf(fault)] = true;
    this.countsAtLast = { ...this.counts };
  }
}

/** One bit of so many bytes, in place. */
export function flipBit(bytes: Uint8Array, offset: number, length: number, { bit = 0 }: AccessFault): void {
  const at = bit % (length * 8);
  bytes[offset + (at >> 3)] ^= 1 << (at & 7);
}

/** The same of a register's value, in two halves. */
export function flippedValue(
  low: number,
  high: number,
  sizeBytes: number,
  { bit = 0 }: AccessFault,
): readonly [low: number, high: number] {
  const at = bit % (sizeBytes * 8);
  return at < 32 ? [(low ^ (1 << at)) >>> 0, high] : [low, (high ^ (1 << (at - 32))) >>> 0];
}

export const placeOf = (range: number, offset: number): string =>
  range < 0 ? `configuration+0x${hex(offset)}` : `range ${range}+0x${hex(offset)}`;
