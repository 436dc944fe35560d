// The embedded PHY of an AX88772: clause 22 registers, power, auto-negotiation with the far end.

import type { Clock, TimerHandle } from "../../base/clock.ts";
import { type AxChip, Mii, MiiAbility, MiiControl, MiiStatus } from "../../codec/ax88772/ax88772.ts";

const registers = 32;
const notThere = 0xffff;
/** Reset values (the control register's: likely). */
const controlAtReset = MiiControl.speed100 | MiiControl.autoNegotiate | MiiControl.fullDuplex;
const statusAlways = 0x7809;
const abilityAtReset = 0x01e1;
/** Registers 14h to 16h of the A: Linux looks at them and puts them right. */
const vendorRegisters: readonly (readonly [number, number])[] = [
  [0x14, 0x442c],
  [0x15, 0x03c8],
  [0x16, 0x4044],
];
/** What a switch offers: all four, and pause. */
const partnerOffers =
  0x4000 |
  MiiAbility.half10 |
  MiiAbility.full10 |
  MiiAbility.half100 |
  MiiAbility.full100 |
  MiiAbility.pause |
  1;

export interface AxPhyOptions {
  readonly clock: Clock;
  readonly chip: AxChip;
  /** From power to the first answer, nanoseconds (likely: Linux allows 60 ms on the 772 and 160 ms on the others). */
  readonly powerUpNs: number;
  /** From cable and power to a link, nanoseconds. */
  readonly negotiationNs: number;
  /** The link came or went. */
  readonly linkChanged: () => void;
}

/** `isPowered` and `isReleased` are pins that the chip's reset register drives. */
export class AxPhy {
  readonly #options: AxPhyOptions;
  readonly #values = new Uint16Array(registers);
  #timer: TimerHandle = 0;
  #isPowered = false;
  #isReleased = false;
  #answersAtNs = Number.POSITIVE_INFINITY;
  #hasCable = false;
  #isUp = false;
  /** The link was lost since the status register was last read (clause 22.2.4.2.13). */
  #lostSinceRead = false;

  constructor(options: AxPhyOptions) {
    this.#options = options;
    this.#reset();
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  get status(): number {
    return statusAlways | (this.#isUp ? MiiStatus.link | MiiStatus.negotiated : 0);
  }

  get partner(): number {
    return this.#isUp ? partnerOffers : 0;
  }

  setPins(isPowered: boolean, isReleased: boolean): void {
    if (isPowered === this.#isPowered && isReleased === this.#isReleased) return;
    const wasRunning = this.#isPowered && this.#isReleased;
    this.#isPowered = isPowered;
    this.#isReleased = isReleased;
    const isRunning = isPowered && isReleased;
    if (isRunning && !wasRunning) {
      this.#reset();
      this.#answersAtNs = this.#options.clock.nowNs() + this.#options.powerUpNs;
    }
    if (!isRunning) this.#answersAtNs = Number.POSITIVE_INFINITY;
    this.#negotiate();
  }

  setCable(isIn: boolean): void {
    this.#hasCable = isIn;
    this.#negotiate();
  }

  /** FFFFh while it has no power, is held in reset, or is not up yet. */
  read(register: number): number {
    if (this.#options.clock.nowNs() < this.#answersAtNs) return notThere;
    switch (register) {
      case Mii.bmsr: {
        const status = this.#lostSinceRead ? this.status & ~MiiStatus.link : this.status;
        this.#lostSinceRead = false;
        return status;
      }
      case Mii.id1:
      case Mii.id2:
        return this.#options.chip.phyId[register - Mii.id1];
      case Mii.lpa:
        return this.partner;
      default:
        return this.#values[register & (registers - 1)];
    }
  }

  write(register: number, value: number): void {
    if (this.#options.clock.nowNs() < this.#answersAtNs) return;
    if (register === Mii.bmcr) this.#control(value);
    else if (register !== Mii.bmsr && register !== Mii.id1 && register !== Mii.id2 && register !== Mii.lpa)
      this.#values[register & (registers - 1)] = value;
  }

  /** The reset acts on the edge of its bit; reset and restart clear themselves (clause 22.2.4.1). */
  #control(value: number): void {
    if ((value & MiiControl.reset) !== 0) {
      this.#reset();
      this.#negotiate();
      return;
    }
    const old = this.#values[Mii.bmcr];
    this.#values[Mii.bmcr] = value & ~MiiControl.restart;
    if ((value & MiiControl.restart) !== 0) this.#drop();
    if (((old ^ value) & MiiControl.powerDown) !== 0 || (value & MiiControl.restart) !== 0) this.#negotiate();
  }

  #reset(): void {
    this.#values.fill(0);
    this.#values[Mii.bmcr] = controlAtReset;
    this.#values[Mii.anar] = abilityAtReset;
    for (const [register, value] of vendorRegisters) this.#values[register] = value;
    this.#drop();
  }

  #drop(): void {
    if (!this.#isUp) return;
    this.#isUp = false;
    this.#lostSinceRead = true;
    this.#options.linkChanged();
  }

  #negotiate(): void {
    const { clock, negotiationNs } = this.#options;
    clock.cancel(this.#timer);
    this.#timer = 0;
    const isDown = (this.#values[Mii.bmcr] & MiiControl.powerDown) !== 0;
    if (!this.#hasCable || !this.#isPowered || !this.#isReleased || isDown) {
      this.#drop();
      return;
    }
    if (this.#isUp) return;
    const wait = Math.max(negotiationNs, this.#answersAtNs - clock.nowNs());
    this.#timer = clock.after(wait, this.#linked, undefined);
  }

  readonly #linked = (): void => {
    this.#timer = 0;
    this.#isUp = true;
    this.#options.linkChanged();
  };

  /** The cable of the chip itself is out: no timer outlives it. */
  stop(): void {
    this.#options.clock.cancel(this.#timer);
    this.#timer = 0;
    this.#isPowered = false;
    this.#isReleased = false;
    this.#answersAtNs = Number.POSITIVE_INFINITY;
    this.#isUp = false;
    this.#reset();
  }
}
