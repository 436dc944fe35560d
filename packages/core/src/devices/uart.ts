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
/** Errors of one character on the line; an overrun has none. */
export type CharacterError = Exclude<LineError, "overrun">;

/** How characters are framed on a line. */
export interface LineFormat {
  /** Bits per second. */
  readonly baudRate: number;
  readonly dataBits: number;
  readonly parity: "none" | "odd" | "even" | "mark" | "space";
  /** 1, 1.5 or 2. */
  readonly stopBits: number;
}

/** Parities and stop bits by the codes that FTDI's SET_DATA and CDC's line coding share. */
export const lineParities: readonly LineFormat["parity"][] = ["none", "odd", "even", "mark", "space"];
export const lineStopBits: readonly number[] = [1, 1.5, 2];

const powerOnFormat: LineFormat = { baudRate: 9600, dataBits: 8, parity: "none", stopBits: 1 };

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
  /** The host took bytes out of the chip: whoever waited for `uart.receiveRoom()` can go on. */
  receiveRoomAgain?(): void;
}

/** What the chip wants to hear from its serial half. Called only from clock events or from the far end. */
export interface UartOwner {
  received(): void;
  /** Room in the transmit ring again. */
  drained(): void;
  modemChanged(inputs: ModemInputs): void;
  /**
   * For parity and framing errors, and for a break where `breakIsCharacter`, the character is the newest in the receive
   * ring; an overrun comes when the ring is full. `received` does not follow.
   */
  lineError(error: LineError): void;
}

export interface UartOptions {
  readonly clock: Clock;
  readonly owner: UartOwner;
  /** `baud`: bytes take their time on the wire. `none`: at once. */
  readonly pacing: "baud" | "none";
  readonly receiveLog: number;
  readonly transmitLog: number;
  /** The receiver stores a NUL for a break, as 16550s and FTDI's chips do. Default false. */
  readonly breakIsCharacter?: boolean;
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
  readonly #breakIsCharacter: boolean;
  readonly #batch = new Uint8Array(256);
  readonly #one = new Uint8Array(1);
  #farEnd: SerialFarEnd | null = null;
  #isSending = false;
  #format = powerOnFormat;
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
    this.#breakIsCharacter = options.breakIsCharacter ?? false;
    this.transmitRing = new ByteRing(options.transmitLog);
    this.receiveRing = new ByteRing(options.receiveLog);
  }

  connect(farEnd: SerialFarEnd): void {
    this.#farEnd = farEnd;
    farEnd.connect(this);
  }

  get baudRate(): number {
    return this.#format.baudRate;
  }

  get format(): LineFormat {
    return this.#format;
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

  setFormat(format: LineFormat): void {
    this.#format = format;
    this.#bitsPerCharacter = 1 + format.dataBits + (format.parity === "none" ? 0 : 1) + format.stopBits;
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
    if (taken > 0) this.#roomAgain();
    return taken;
  }

  purge(transmit: boolean, receive: boolean): void {
    if (transmit) this.transmitRing.clear();
    if (receive) this.receiveRing.clear();
    if (transmit) this.#owner.drained();
    if (receive) this.#farEnd?.receiveRoomAgain?.();
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

  /**
   * Bytes from the far end. What does not fit is lost and reported as an overrun. `sent` is the format they were sent
   * in, where the far end has one of its own: what the receiver cannot frame arrives with an error on its byte.
   */
  receive(bytes: Uint8Array, offset: number, length: number, sent: LineFormat | null = null): void {
    if (this.#understands(sent)) {
      if (sent === null || isSameFraming(sent, this.#format)) this.#take(bytes, offset, length);
      else this.#takeMisframed(bytes, offset, length, sent);
      return;
    }
    for (let index = offset; index < offset + length; index++)
      this.receiveError("framing", garbled(bytes[index]));
  }

  /** One character of the line that was wrong, with what was made of it. */
  receiveError(error: LineError, byte = 0): void {
    const isCharacter =
      error === "parity" || error === "framing" || (error === "break" && this.#breakIsCharacter);
    if (isCharacter) {
      this.#one[0] = error === "break" ? 0 : byte;
      if (this.receiveRing.push(this.#one, 0, 1) === 0) {
        this.overruns++;
        this.#owner.lineError("overrun");
        return;
      }
      this.receivedBytes++;
    }
    this.#owner.lineError(error);
    if (isCharacter) this.#owner.received();
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

  #roomAgain(): void {
    this.#pump();
    this.#farEnd?.receiveRoomAgain?.();
  }

  #take(bytes: Uint8Array, offset: number, length: number): void {
    const kept = this.receiveRing.push(bytes, offset, length);
    this.receivedBytes += kept;
    if (kept > 0) this.#owner.received();
    if (kept < length) {
      this.overruns += length - kept;
      this.#owner.lineError("overrun");
    }
  }

  #takeMisframed(bytes: Uint8Array, offset: number, length: number, sent: LineFormat): void {
    for (let index = offset; index < offset + length; index++) {
      const error = framingError(bytes[index], sent, this.#format);
      if (error === null) this.#take(bytes, index, 1);
      else this.receiveError(error, bytes[index]);
    }
  }

  #understands(sent: LineFormat | null): boolean {
    const other = sent?.baudRate ?? this.#farEnd?.baudRate ?? null;
    return other === null || Math.abs(other - this.#format.baudRate) / other <= rateTolerance;
  }

  #pump(): void {
    const farEnd = this.#farEnd;
    while (!this.#isSending && !this.#isHeld && !this.#isBreaking && this.transmitRing.used > 0) {
      const room = farEnd === null ? this.#batch.length : farEnd.room();
      const characterNs = (this.#bitsPerCharacter * 1e9) / this.#format.baudRate;
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
    if (!this.#understands(null)) {
      for (let index = 0; index < taken; index++) this.#batch[index] = garbled(this.#batch[index]);
    }
    if (taken > 0) this.#farEnd?.receive(this.#batch, 0, taken);
    this.#owner.drained();
  }
}

/** What a receiver at another rate makes of a byte. */
function garbled(byte: number): number {
  return (((byte << 3) | (byte >> 5)) ^ 0x5a) & 0xff;
}

function isSameFraming(left: LineFormat, right: LineFormat): boolean {
  return left.parity === right.parity;
}

/**
 * What a receiver with another parity finds wrong with a character between pauses: where it expects a parity bit and
 * none was sent it reads the stop bit, a one; where it expects the stop bit it reads the parity bit.
 */
function framingError(byte: number, sent: LineFormat, expected: LineFormat): CharacterError | null {
  const bit = parityBit(byte, sent) ?? 1;
  const wanted = parityBit(byte, expected);
  if (wanted === null) return bit === 0 ? "framing" : null;
  return bit === wanted ? null : "parity";
}

function parityBit(byte: number, { parity, dataBits }: LineFormat): 0 | 1 | null {
  if (parity === "none") return null;
  if (parity === "mark") return 1;
  if (parity === "space") return 0;
  let ones = 0;
  for (let bit = 0; bit < dataBits; bit++) ones ^= (byte >> bit) & 1;
  return (parity === "even" ? ones : ones ^ 1) as 0 | 1;
}
