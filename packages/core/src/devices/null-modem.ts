// A null-modem cable: two serial ports whose far ends are each other.

import type { Clock, TimerHandle } from "../base/clock.ts";
import { second } from "../base/units.ts";
import type { SerialFarEnd, Uart } from "./uart.ts";

/** So long a full receiver is waited for; after it the line is what a line is, and bytes are lost there. */
const patienceNs = 2 * second;

/**
 * TXD to RXD, RTS to CTS, DTR to DSR and DCD, breaks across. Give `ends` to two devices as their far ends. Nothing is
 * lost while both hosts read: a transmitter waits for room in the other receiver, which no timer of the user's has to
 * look for. A receiver that nobody empties for two seconds overruns, as without flow control on a desk.
 */
export class NullModem {
  readonly ends: readonly [SerialFarEnd, SerialFarEnd];

  /**
   * `comparesFormats`: rates more than 3 % apart and other parities make the errors that they make on a desk. Without it
   * any bytes arrive as they were sent, as through com0com, socat and tty0tty. Default true.
   */
  constructor(clock: Clock, options: { readonly comparesFormats?: boolean } = {}) {
    const compares = options.comparesFormats ?? true;
    const left = new CableEnd(clock, compares);
    const right = new CableEnd(clock, compares);
    left.other = right;
    right.other = left;
    this.ends = [left, right];
  }
}

/** The plug in one port: it hears that port's transmitter, and feeds the receiver at the other end. */
class CableEnd implements SerialFarEnd {
  readonly baudRate = null;
  other: CableEnd | null = null;
  readonly #clock: Clock;
  readonly #compares: boolean;
  #uart: Uart | null = null;
  #patience: TimerHandle = 0;
  /** The receiver over there was full for too long: what comes until it has room again is lost. */
  #isGivenUp = false;

  constructor(clock: Clock, compares: boolean) {
    this.#clock = clock;
    this.#compares = compares;
  }

  connect(uart: Uart): void {
    this.#uart = uart;
    this.other?.tellLines();
    this.tellLines();
    this.other?.go();
  }

  room(): number {
    const receiver = this.#receiver;
    if (receiver === null || this.#isGivenUp) return Number.MAX_SAFE_INTEGER;
    const room = receiver.receiveRoom();
    if (room === 0 && this.#patience === 0)
      this.#patience = this.#clock.after(patienceNs, this.#giveUp, undefined);
    return room;
  }

  receive(bytes: Uint8Array, offset: number, length: number): void {
    const own = this.#uart;
    if (own !== null) this.#receiver?.receive(bytes, offset, length, this.#compares ? own.format : null);
  }

  linesChanged(): void {
    this.tellLines();
  }

  breakChanged(on: boolean): void {
    if (on) this.#receiver?.receiveError("break");
  }

  /** This port's receiver was emptied: the other port's transmitter may have waited for it. */
  receiveRoomAgain(): void {
    this.other?.receiverHasRoom();
  }

  receiverHasRoom(): void {
    this.#clock.cancel(this.#patience);
    this.#patience = 0;
    this.#isGivenUp = false;
    this.#uart?.farEndReady();
  }

  tellLines(): void {
    const own = this.#uart;
    if (own === null) return;
    this.#receiver?.setModemInputs({ cts: own.rts, dsr: own.dtr, ri: false, dcd: own.dtr });
  }

  get uart(): Uart | null {
    return this.#uart;
  }

  /** Whoever transmits into this end may try again. */
  go(): void {
    this.#uart?.farEndReady();
  }

  get #receiver(): Uart | null {
    return this.other?.uart ?? null;
  }

  readonly #giveUp = (): void => {
    this.#patience = 0;
    if (this.#receiver?.receiveRoom() === 0) this.#isGivenUp = true;
    this.#uart?.farEndReady();
  };
}
