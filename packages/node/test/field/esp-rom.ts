// The far end of a serial line that is an ESP32's boot loader: SLIP frames, registers, flash blocks.

import type { SerialFarEnd, Uart } from "@drydock/core/devices/uart";

/** Commands of the boot loader in ROM, from Espressif's "Serial Protocol" page of its esptool documentation. */
const command = {
  flashBegin: 2,
  flashData: 3,
  flashEnd: 4,
  sync: 8,
  readRegister: 10,
  spiAttach: 13,
  securityInfo: 20,
};
const end = 0xc0;
const escaping = 0xdb;
/** "Invalid message": the answer to a command that this ROM does not have. */
const invalidMessage = 5;
const checksumSeed = 0xef;

/** The register by which tools tell the chips apart, and the ESP32's value; words of its eFuse with a MAC address. */
const registers: Readonly<Record<number, number>> = {
  1073745920: 0x00f01d83,
  1073061892: 0xa4cf1234,
  1073061896: 0x0000240a,
};

/** Is in its boot loader after RTS (reset) was let go while DTR held IO0 down; before that it says nothing. */
export class EspRom implements SerialFarEnd {
  readonly baudRate = null;
  readonly flash = new Uint8Array(1 << 20).fill(0xff);
  /** DTR and RTS as they went, for the reset's sequence. */
  readonly lines: string[] = [];
  badChecksums = 0;
  #uart: Uart | null = null;
  #frame: number[] | null = null;
  #isEscaped = false;
  #isInLoader = false;
  #rts = false;
  #at = 0;
  #blockBytes = 0;

  connect(uart: Uart): void {
    this.#uart = uart;
  }

  room(): number {
    return Number.MAX_SAFE_INTEGER;
  }

  linesChanged(dtr: boolean, rts: boolean): void {
    this.lines.push(`${dtr ? "D" : "d"}${rts ? "R" : "r"}`);
    if (this.#rts && !rts) this.#isInLoader = dtr;
    this.#rts = rts;
  }

  breakChanged(): void {}

  receive(bytes: Uint8Array, offset: number, length: number): void {
    for (let at = offset; at < offset + length; at++) this.#take(bytes[at]);
  }

  /** RFC 1055, but that a frame begins with END too. */
  #take(byte: number): void {
    if (byte === end) {
      const frame = this.#frame;
      this.#frame = frame === null || frame.length === 0 ? [] : null;
      if (frame !== null && frame.length >= 8 && this.#isInLoader) this.#answer(Buffer.from(frame));
    } else if (this.#isEscaped) {
      this.#isEscaped = false;
      this.#frame?.push(byte === 0xdc ? end : escaping);
    } else if (byte === escaping) this.#isEscaped = true;
    else this.#frame?.push(byte);
  }

  #answer(frame: Buffer): void {
    const code = frame[1];
    const data = frame.subarray(8);
    switch (code) {
      case command.sync:
        // The ROM answers a SYNC eight times.
        for (let count = 0; count < 8; count++) this.#send(code, 0x20120707);
        break;
      case command.readRegister:
        this.#send(code, registers[data.readUInt32LE(0)] ?? 0);
        break;
      case command.spiAttach:
      case command.flashEnd:
        this.#send(code, 0);
        break;
      case command.flashBegin:
        this.#blockBytes = data.readUInt32LE(8);
        this.#at = data.readUInt32LE(12);
        this.flash.fill(0xff, this.#at, this.#at + data.readUInt32LE(0));
        this.#send(code, 0);
        break;
      case command.flashData: {
        const block = data.subarray(16);
        const sum = block.reduce((total, byte) => total ^ byte, checksumSeed);
        if (sum !== frame.readUInt32LE(4)) this.badChecksums++;
        this.flash.set(block, this.#at + data.readUInt32LE(4) * this.#blockBytes);
        this.#send(code, 0);
        break;
      }
      default:
        this.#send(code, 0, [1, invalidMessage]);
    }
  }

  #send(code: number, value: number, status: readonly number[] = [0, 0]): void {
    const words = Buffer.alloc(4);
    words.writeUInt32LE(value);
    // The ESP32's ROM ends its answers with four bytes of status.
    const packet = [1, code, 4, 0, ...words, ...status, 0, 0];
    const frame = packet.flatMap((byte) =>
      byte === end ? [escaping, 0xdc] : byte === escaping ? [escaping, 0xdd] : [byte],
    );
    const bytes = Uint8Array.of(end, ...frame, end);
    this.#uart?.receive(bytes, 0, bytes.length);
  }
}
