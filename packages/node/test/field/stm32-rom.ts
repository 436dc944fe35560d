// The far end of a serial line that is an STM32's boot loader in ROM: AN3155, "USART protocol used in the bootloader".

import type { SerialFarEnd, Uart } from "@drydock/core/devices/uart";

const ack = 0x79;
const nack = 0x1f;
const sync = 0x7f;
/** AN3155 §3: commands, each followed by its complement. */
const command = { get: 0, version: 1, id: 2, read: 0x11, go: 0x21, write: 0x31, erase: 0x43 } as const;
/** STM32F10xxx, medium density (AN2606). */
const productId = 0x410;
const flashAt = 0x0800_0000;
const ramAt = 0x2000_0000;
const flashBytes = 64 << 10;
const allPages = 0xff;
const pageBytes = 1024;

/** Listens only while the line is 8E1, which the ROM demands (§2.1); writes to flash that was not erased are refused. */
export class Stm32Rom implements SerialFarEnd {
  readonly baudRate = null;
  readonly flash = new Uint8Array(flashBytes).fill(0);
  /** Bytes that came in another format than 8E1. */
  misframed = 0;
  isRunning = false;
  #uart: Uart | null = null;
  #isAwake = false;
  #waiting: number[] = [];
  #step: (bytes: number[]) => number = (bytes) => this.#command(bytes);

  connect(uart: Uart): void {
    this.#uart = uart;
  }

  room(): number {
    return Number.MAX_SAFE_INTEGER;
  }

  linesChanged(): void {}

  breakChanged(): void {}

  receive(bytes: Uint8Array, offset: number, length: number): void {
    const { dataBits, parity, stopBits } = this.#uart?.format ?? {};
    if (dataBits !== 8 || parity !== "even" || stopBits !== 1) {
      this.misframed += length;
      return;
    }
    this.#waiting.push(...bytes.subarray(offset, offset + length));
    for (;;) {
      const taken = this.#waiting.length === 0 ? 0 : this.#step(this.#waiting);
      if (taken === 0) return;
      this.#waiting.splice(0, taken);
    }
  }

  #say(...bytes: number[]): void {
    this.#uart?.receive(Uint8Array.from(bytes), 0, bytes.length);
  }

  #next(step: (bytes: number[]) => number): void {
    this.#step = step;
  }

  #done(answer: number): void {
    this.#say(answer);
    this.#next((bytes) => this.#command(bytes));
  }

  #command(bytes: number[]): number {
    if (bytes[0] === sync && !this.#isAwake) {
      this.#isAwake = true;
      this.#say(ack);
      return 1;
    }
    if (bytes.length < 2) return 0;
    if ((bytes[0] ^ bytes[1]) !== 0xff) this.#say(nack);
    else this.#perform(bytes[0]);
    return 2;
  }

  #perform(code: number): void {
    switch (code) {
      case command.get: {
        const codes = Object.values(command);
        this.#say(ack, codes.length, 0x22, ...codes, ack);
        return;
      }
      case command.version:
        this.#say(ack, 0x22, 0, 0, ack);
        return;
      case command.id:
        this.#say(ack, 1, productId >> 8, productId & 0xff, ack);
        return;
      case command.read:
      case command.write:
      case command.go:
        this.#say(ack);
        this.#next((bytes) => this.#address(bytes, code));
        return;
      case command.erase:
        this.#say(ack);
        this.#next((bytes) => this.#erase(bytes));
        return;
      default:
        this.#say(nack);
    }
  }

  /** Four bytes and their exclusive or. */
  #address(bytes: number[], code: number): number {
    if (bytes.length < 5) return 0;
    const address = Buffer.from(bytes).readUInt32BE(0);
    const isRam = address >= ramAt && address < ramAt + (20 << 10);
    const isFlash = address >= flashAt && address < flashAt + flashBytes;
    const isSound = bytes.slice(0, 5).reduce((sum, byte) => sum ^ byte, 0) === 0;
    if (!isSound || !(isFlash || isRam)) this.#done(nack);
    else if (code === command.go) {
      this.isRunning = true;
      this.#isAwake = false;
      this.#done(ack);
    } else {
      this.#say(ack);
      const at = isFlash ? address - flashAt : -1;
      this.#next((rest) => (code === command.read ? this.#read(rest, at) : this.#write(rest, at)));
    }
    return 5;
  }

  #read(bytes: number[], at: number): number {
    if (bytes.length < 2) return 0;
    if ((bytes[0] ^ bytes[1]) !== 0xff) this.#done(nack);
    else {
      this.#done(ack);
      const count = bytes[0] + 1;
      this.#say(...(at < 0 ? new Uint8Array(count) : this.flash.subarray(at, at + count)));
    }
    return 2;
  }

  #write(bytes: number[], at: number): number {
    const count = bytes[0] + 1;
    if (bytes.length < count + 2) return 0;
    const isSound = bytes.slice(0, count + 2).reduce((sum, byte) => sum ^ byte, 0) === 0;
    const isErased = at >= 0 && this.flash.subarray(at, at + count).every((byte) => byte === 0xff);
    if (isSound && isErased) this.flash.set(bytes.slice(1, count + 1), at);
    this.#done(isSound && (isErased || at < 0) ? ack : nack);
    return count + 2;
  }

  /** §3.7: FFh and 00h for all, else a count and page numbers with their exclusive or. */
  #erase(bytes: number[]): number {
    if (bytes[0] === allPages) {
      if (bytes.length < 2) return 0;
      this.flash.fill(0xff);
      this.#done(ack);
      return 2;
    }
    const count = bytes[0] + 1;
    if (bytes.length < count + 2) return 0;
    for (const page of bytes.slice(1, count + 1))
      this.flash.fill(0xff, page * pageBytes, (page + 1) * pageBytes);
    this.#done(ack);
    return count + 2;
  }
}
