// What can hang on a serial connector: a loop-back plug, a script, a recorder.

import type { Clock } from "../base/clock.ts";
import { encodeUtf8 } from "../base/text.ts";
import { type LineError, type ModemInputs, noModemInputs, type SerialFarEnd, type Uart } from "./uart.ts";

/**
 * A loop-back plug: TXD to RXD, and as null modems are wired RTS to CTS, DTR to DSR and DCD. Takes only what the
 * chip can receive, so nothing is lost.
 */
export class LoopbackPlug implements SerialFarEnd {
  readonly baudRate = null;
  #uart: Uart | null = null;

  connect(uart: Uart): void {
    this.#uart = uart;
  }

  room(): number {
    return this.#uart?.receiveRoom() ?? 0;
  }

  receive(bytes: Uint8Array, offset: number, length: number): void {
    this.#uart?.receive(bytes, offset, length);
  }

  linesChanged(dtr: boolean, rts: boolean): void {
    this.#uart?.setModemInputs({ cts: rts, dsr: dtr, ri: false, dcd: dtr });
  }

  breakChanged(on: boolean): void {
    if (on) this.#uart?.receiveError("break");
  }
}

/** A loop-back plug with a defect for trials to find: from `fromNs` on it takes characters and sends none back. */
export class ForgetfulPlug extends LoopbackPlug {
  readonly #now: () => number;
  readonly #fromNs: number;

  constructor(now: () => number, fromNs: number) {
    super();
    this.#now = now;
    this.#fromNs = fromNs;
  }

  override receive(bytes: Uint8Array, offset: number, length: number): void {
    if (this.#now() < this.#fromNs) super.receive(bytes, offset, length);
  }
}

/** One thing a scripted far end does, at a time or after having received that many bytes or that text. */
export interface ScriptStep {
  readonly atNs?: number;
  readonly afterBytes?: number;
  readonly afterText?: string;
  readonly send?: string | Uint8Array;
  readonly modem?: Partial<ModemInputs>;
  /** A parity or framing error is that of the last byte sent in this step, or of a NUL when it sends none. */
  readonly error?: LineError;
}

/** Plays a script in order and records everything it hears. */
export class ScriptedFarEnd implements SerialFarEnd {
  readonly baudRate: number | null;
  readonly heard: number[] = [];
  readonly lineChanges: string[] = [];
  readonly #clock: Clock;
  readonly #steps: ScriptStep[];
  #uart: Uart | null = null;
  #inputs = noModemInputs;
  #isTimed = false;

  constructor(clock: Clock, steps: readonly ScriptStep[], baudRate: number | null = null) {
    this.#clock = clock;
    this.#steps = [...steps];
    this.baudRate = baudRate;
  }

  /** What it heard, as Latin-1 text. */
  get heardText(): string {
    return String.fromCharCode(...this.heard.slice(-4096));
  }

  connect(uart: Uart): void {
    this.#uart = uart;
    this.#advance();
  }

  room(): number {
    return Number.MAX_SAFE_INTEGER;
  }

  receive(bytes: Uint8Array, offset: number, length: number): void {
    for (let index = offset; index < offset + length; index++) this.heard.push(bytes[index]);
    this.#advance();
  }

  linesChanged(dtr: boolean, rts: boolean): void {
    this.lineChanges.push(`DTR ${dtr ? "on" : "off"} RTS ${rts ? "on" : "off"}`);
  }

  breakChanged(on: boolean): void {
    this.lineChanges.push(`break ${on ? "on" : "off"}`);
  }

  #advance(): void {
    while (this.#steps.length > 0) {
      const step = this.#steps[0];
      if (step.afterBytes !== undefined && this.heard.length < step.afterBytes) return;
      if (step.afterText !== undefined && !this.heardText.includes(step.afterText)) return;
      if (step.atNs !== undefined && this.#clock.nowNs() < step.atNs) {
        if (this.#isTimed) return;
        this.#isTimed = true;
        this.#clock.after(
          step.atNs - this.#clock.nowNs(),
          () => {
            this.#isTimed = false;
            this.#advance();
          },
          undefined,
        );
        return;
      }
      this.#steps.shift();
      this.#play(step);
    }
  }

  #play(step: ScriptStep): void {
    const uart = this.#uart;
    if (uart === null) return;
    if (step.modem !== undefined) {
      this.#inputs = { ...this.#inputs, ...step.modem };
      uart.setModemInputs(this.#inputs);
    }
    const bytes = typeof step.send === "string" ? encodeUtf8(step.send) : (step.send ?? new Uint8Array(0));
    const isOfLast = step.error === "parity" || step.error === "framing";
    if (step.error !== undefined && !isOfLast) uart.receiveError(step.error);
    const good = isOfLast ? Math.max(0, bytes.length - 1) : bytes.length;
    if (good > 0) uart.receive(bytes, 0, good);
    if (step.error !== undefined && isOfLast) uart.receiveError(step.error, bytes.at(-1) ?? 0);
  }
}
