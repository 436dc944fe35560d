// The serial half of a USB serial chip: rings, baud pacing, lines, and what hangs on the connector.

import { ByteRing } from "../base/byte-ring.ts";
import type { Clock } from "../base/clock.ts";

export interface ModemInputs {
  readonly cts: boolean;
  readonly dsr: boolean;
  readonly ri: boolean;
  readonly dcd: boolean;
}

export const noModemInputs: ModemInputs = { cts: false, dsr: false, ri: false, dcd: false };

export type LineError = "overrun" | "parity" | "framing" | "break";

/** The wire's far end: another machine, a loop-back plug, a script. Called by the chip. */
export interface SerialFarEnd {
  /** The far end's own rate; null follows the chip's. More than 3 % apart garbles every byte. */
  readonly baudRate: number | null;
  /** Given once, when the cable is connected. */
  connect(uart: Uart): void;
  /** How many bytes it can take now; 0 holds the chip's transmitter until `uart.farEndReady()`. */
  room(): number;
  /** Bytes from the chip. Valid during the call. */
  receive(bytes: Uint8Array, offset: number, length: number): void;
  linesChanged(dtr: boolean, rts: boolean): void;
  breakChanged(on: boolean): void;
}

/** What the chip wants to hear from its serial half. Called only from clock events or from the far end. */
export interface UartOwner {
  received(): void;
  /** Room in the transmit ring again. */
  drained(): void;
  modemChanged(inputs: ModemInputs): void;
  lineError(error: LineError): void;
}

export interface UartOptions {
  readonly clock: Clock;
  readonly owner: UartOwner;
  /** `baud`: bytes take their time on the wire. `none`: at once. */
  readonly pacing: "baud" | "none";
  readonly receiveLog: number;
  readonly transmitLog: number;
}

/** Bytes leave in batches of about this time, so that a slow line is still smooth. */
const batchNs = 8_000_000;

/** Rates that differ by more than this do not understand each other. */
const rateTolerance = 0.03;

/**
 * Bytes wait in two rings. With pacing, a batch leaves after the time its characters take; there is never an event per
 * byte. Transmission stops while the far end has no room, while flow control forbids it, and during a break.
 */
export class Uart {
  readonly transmitRing: ByteRing;
  readonly receiveRing: ByteRing;
  readonly #clock: Clock;
  readonly #owner: UartOwner;
  readonly #isPaced: boolean;
  readonly #batch = new Uint8Array(256);
  #farEnd: SerialFarEnd | null = null;
  #isSending = false;
  #baudRate = 9600;
  #bitsPerCharacter = 10;
  #inputs = noModemInputs;
  #dtr = false;
  #rts = false;
  #isBreaking = false;
  /** Set by the chip: flow control forbids transmission. */
  #isHeld = false;
  #generation = 0;
  transmittedBytes = 0;
  receivedBytes = 0;
  overruns = 0;

  constructor(options: UartOptions) {
    this.#clock = options.clock;
    this.#owner = options.owner;
    this.#isPaced = options.pacing === "baud";
    this.transmitRing = new ByteRing(options.transmitLog);
    this.receiveRing = new ByteRing(options.receiveLog);
  }

  connect(farEnd: SerialFarEnd): void {
    this.#farEnd = farEnd;
    farEnd.connect(this);
  }

  get baudRate(): number {
    return this.#baudRate;
  }

  get modemInputs(): ModemInputs {
    return this.#inputs;
  }

  get dtr(): boolean {
    return this.#dtr;
  }

  get rts(): boolean {
    return this.#rts;
  }

  get isBreaking(): boolean {
    return this.#isBreaking;
  }

  /** Nothing waits and nothing is on the wire. */
  get isIdle(): boolean {
    return this.transmitRing.used === 0 && !this.#isSending;
  }

  /** `bitsPerCharacter` counts start, data, parity and stop bits; halves are allowed. */
  setFormat(baudRate: number, bitsPerCharacter: number): void {
    this.#baudRate = baudRate;
    this.#bitsPerCharacter = bitsPerCharacter;
  }

  setOutputs(dtr: boolean, rts: boolean): void {
    if (dtr === this.#dtr && rts === this.#rts) return;
    this.#dtr = dtr;
    this.#rts = rts;
    this.#farEnd?.linesChanged(dtr, rts);
  }

  setBreak(on: boolean): void {
    if (on === this.#isBreaking) return;
    this.#isBreaking = on;
    this.#farEnd?.breakChanged(on);
    if (!on) this.#pump();
  }

  setHeld(held: boolean): void {
    if (this.#isHeld === held) return;
    this.#isHeld = held;
    if (!held) this.#pump();
  }

  /** From the chip's USB side: takes what fits. */
  transmit(bytes: Uint8Array, offset: number, length: number): number {
    const taken = this.transmitRing.push(bytes, offset, length);
    this.#pump();
    return taken;
  }

  /** To the chip's USB side. */
  takeReceived(into: Uint8Array, offset: number, length: number): number {
    const taken = this.receiveRing.pull(into, offset, length);
    if (taken > 0) this.#pump();
    return taken;
  }

  purge(transmit: boolean, receive: boolean): void {
    if (transmit) this.transmitRing.clear();
    if (receive) this.receiveRing.clear();
    if (transmit) this.#owner.drained();
  }

  /** Power-on state. What was on the wire is lost. */
  reset(): void {
    this.#generation++;
    this.#isSending = false;
    this.transmitRing.clear();
    this.receiveRing.clear();
    this.#isHeld = false;
    this.setBreak(false);
    this.setOutputs(false, false);
  }

  /** Room in the receive ring, for a far end that does not want to lose bytes. */
  receiveRoom(): number {
    return this.receiveRing.free;
  }

  /** Bytes from the far end. What does not fit is lost and reported as an overrun. */
  receive(bytes: Uint8Array, offset: number, length: number): void {
    let kept: number;
    if (this.#understands()) kept = this.receiveRing.push(bytes, offset, length);
    else {
      const garbled = bytes.slice(offset, offset + length).map((byte) => ((byte << 3) | (byte >> 5)) ^ 0x5a);
      kept = this.receiveRing.push(garbled, 0, length);
      this.#owner.lineError("framing");
    }
    this.receivedBytes += kept;
    if (kept < length) {
      this.overruns += length - kept;
      this.#owner.lineError("overrun");
    }
    if (kept > 0) this.#owner.received();
  }

  /** Error conditions on the receive line. */
  receiveError(error: LineError): void {
    this.#owner.lineError(error);
  }

  setModemInputs(inputs: ModemInputs): void {
    const { cts, dsr, ri, dcd } = this.#inputs;
    if (cts === inputs.cts && dsr === inputs.dsr && ri === inputs.ri && dcd === inputs.dcd) return;
    this.#inputs = inputs;
    this.#owner.modemChanged(inputs);
  }

  /** The far end has room again. */
  farEndReady(): void {
    this.#pump();
  }

  #understands(): boolean {
    const other = this.#farEnd?.baudRate ?? null;
    return other === null || Math.abs(other - this.#baudRate) / other <= rateTolerance;
  }

  #pump(): void {
    const farEnd = this.#farEnd;
    while (!this.#isSending && !this.#isHeld && !this.#isBreaking && this.transmitRing.used > 0) {
      const room = farEnd === null ? this.#batch.length : farEnd.room();
      const characterNs = (this.#bitsPerCharacter * 1e9) / this.#baudRate;
      const most = this.#isPaced ? Math.max(1, Math.floor(batchNs / characterNs)) : this.#batch.length;
      const count = Math.min(this.transmitRing.used, this.#batch.length, room, most);
      if (count === 0) return;
      if (this.#isPaced) {
        this.#isSending = true;
        const ns = Math.ceil(count * characterNs);
        const generation = this.#generation;
        this.#clock.after(
          ns,
          (bytes: number) => {
            if (this.#generation !== generation) return;
            this.#isSending = false;
            this.#deliver(bytes);
            this.#pump();
          },
          count,
        );
        return;
      }
      this.#isSending = true;
      this.#deliver(count);
      this.#isSending = false;
    }
  }

  #deliver(count: number): void {
    const taken = this.transmitRing.pull(this.#batch, 0, count);
    this.transmittedBytes += taken;
    if (!this.#understands()) {
      for (let index = 0; index < taken; index++)
        this.#batch[index] = ((this.#batch[index] << 3) | (this.#batch[index] >> 5)) ^ 0x5a;
    }
    if (taken > 0) this.#farEnd?.receive(this.#batch, 0, taken);
    this.#owner.drained();
  }
}
