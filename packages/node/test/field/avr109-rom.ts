// The far end of a serial line that is an AVR's boot loader: Atmel AVR109, "Self Programming", chapter on commands.

import type { SerialFarEnd, Uart } from "@drydock/core/devices/uart";

const yes = "Y".charCodeAt(0);
const carriageReturn = 0x0d;
const blockBytes = 128;
/** ATmega328P, lowest byte first as the protocol wants it. */
const signature = [0x0f, 0x95, 0x1e];
const partCode = 0x44;
/** Bytes behind each command; the rest have none. */
const argumentBytes: Readonly<Record<string, number>> = { A: 2, B: 3, g: 3, T: 1, x: 1, y: 1, l: 1 };

/** Flash by words, block mode, an address that counts on by itself. */
export class Avr109Rom implements SerialFarEnd {
  readonly baudRate = null;
  readonly flash = new Uint8Array(32 << 10).fill(0xff);
  #uart: Uart | null = null;
  #waiting: number[] = [];
  /** In words. */
  #address = 0;

  connect(uart: Uart): void {
    this.#uart = uart;
  }

  room(): number {
    return Number.MAX_SAFE_INTEGER;
  }

  linesChanged(): void {}

  breakChanged(): void {}

  receive(bytes: Uint8Array, offset: number, length: number): void {
    this.#waiting.push(...bytes.subarray(offset, offset + length));
    for (;;) {
      const name = String.fromCharCode(this.#waiting[0] ?? 0);
      const least = 1 + (argumentBytes[name] ?? 0);
      if (this.#waiting.length < least) return;
      const [, high, low] = this.#waiting;
      const whole = name === "B" ? least + (high << 8) + low : least;
      if (this.#waiting.length < whole) return;
      this.#perform(name, this.#waiting.splice(0, whole));
    }
  }

  #say(...bytes: number[]): void {
    this.#uart?.receive(Uint8Array.from(bytes), 0, bytes.length);
  }

  #perform(name: string, bytes: number[]): void {
    const [, first, second] = bytes;
    switch (name) {
      case "S":
        this.#say(...Buffer.from("AVRBOOT"));
        return;
      case "V":
      case "v":
        this.#say(...Buffer.from("10"));
        return;
      case "p":
        this.#say("S".charCodeAt(0));
        return;
      case "a":
        this.#say(yes);
        return;
      case "b":
        this.#say(yes, blockBytes >> 8, blockBytes & 0xff);
        return;
      case "t":
        this.#say(partCode, 0);
        return;
      case "s":
        this.#say(...signature);
        return;
      case "e":
        this.flash.fill(0xff);
        this.#say(carriageReturn);
        return;
      case "A":
        this.#address = (first << 8) | second;
        this.#say(carriageReturn);
        return;
      case "B":
        this.flash.set(bytes.slice(4), this.#address * 2);
        this.#address += (bytes.length - 4) >> 1;
        this.#say(carriageReturn);
        return;
      case "g": {
        const length = (first << 8) | second;
        this.#say(...this.flash.subarray(this.#address * 2, this.#address * 2 + length));
        this.#address += length >> 1;
        return;
      }
      case "F":
      case "N":
      case "Q":
      case "r":
        this.#say(0xff);
        return;
      case "\x1b":
        return;
      default:
        this.#say(carriageReturn);
    }
  }
}
