// The far end of a serial line that is an Arduino with StandardFirmata: 20 pins, six of them analog.

import type { SerialFarEnd, Uart } from "@drydock/core/devices/uart";

/** Firmata protocol 2.5: commands and system-exclusive sub-commands. */
const setPinMode = 0xf4;
const setDigitalPin = 0xf5;
const reportVersion = 0xf9;
const startSysex = 0xf0;
const endSysex = 0xf7;
const sysex = {
  analogMapping: 0x69,
  analogMappingAnswer: 0x6a,
  capability: 0x6b,
  capabilityAnswer: 0x6c,
  firmware: 0x79,
};
/** Modes and their resolutions in bits. */
const digitalModes = [0, 1, 1, 1, 11, 1];
const dimmable: readonly number[] = [3, 5, 6, 9, 10, 11];
const firstAnalogPin = 14;
const pinCount = 20;

export class FirmataBoard implements SerialFarEnd {
  readonly baudRate = null;
  /** As the program set them. */
  readonly modes = new Map<number, number>();
  readonly levels: boolean[] = new Array(pinCount).fill(false);
  /** Channels that the program wants to hear of. */
  readonly reported = new Set<number>();
  #uart: Uart | null = null;
  #message: number[] = [];
  #dtr = false;

  connect(uart: Uart): void {
    this.#uart = uart;
  }

  room(): number {
    return Number.MAX_SAFE_INTEGER;
  }

  /** A rising DTR resets it, and the sketch says which protocol and firmware it is. */
  linesChanged(dtr: boolean): void {
    if (dtr && !this.#dtr) {
      this.#say(reportVersion, 2, 5);
      this.#answer(sysex.firmware);
    }
    this.#dtr = dtr;
  }

  breakChanged(): void {}

  receive(bytes: Uint8Array, offset: number, length: number): void {
    for (const byte of bytes.subarray(offset, offset + length)) this.#take(byte);
  }

  /** What a potentiometer at an analog channel says: 14 bits in two bytes of seven. */
  turn(channel: number, value: number): void {
    this.#say(0xe0 | channel, value & 0x7f, value >> 7);
  }

  /** Eight digital inputs at once. */
  press(port: number, levels: number): void {
    this.#say(0x90 | port, levels & 0x7f, levels >> 7);
  }

  #say(...bytes: number[]): void {
    this.#uart?.receive(Uint8Array.from(bytes), 0, bytes.length);
  }

  #take(byte: number): void {
    if (this.#message.length === 0 && byte < 0x80) return;
    this.#message.push(byte);
    const [first] = this.#message;
    const isWhole = first === startSysex ? byte === endSysex : this.#message.length === lengthOf(first);
    if (!isWhole) return;
    const message = this.#message;
    this.#message = [];
    this.#obey(message);
  }

  #obey([first, second, third]: readonly number[]): void {
    if (first === reportVersion) this.#say(reportVersion, 2, 5);
    else if (first === startSysex) this.#answer(second);
    else if (first === setPinMode) this.modes.set(second, third);
    else if (first === setDigitalPin) this.levels[second] = third === 1;
    else if ((first & 0xf0) === 0xc0 && second === 1) this.reported.add(first & 0x0f);
    else if ((first & 0xf0) === 0x90) {
      for (let bit = 0; bit < 8; bit++) {
        const pin = (first & 0x0f) * 8 + bit;
        if (pin < pinCount) this.levels[pin] = (((second | (third << 7)) >> bit) & 1) === 1;
      }
    }
  }

  #answer(kind: number): void {
    if (kind === sysex.firmware) {
      const name = [...Buffer.from("StandardFirmata.ino")].flatMap((byte) => [byte & 0x7f, byte >> 7]);
      this.#say(startSysex, kind, 2, 5, ...name, endSysex);
    } else if (kind === sysex.capability) {
      const pins = Array.from({ length: pinCount }, (_, pin) =>
        pin < 2 ? [0x7f] : [...digitalModes, ...moreModes(pin), 0x7f],
      );
      this.#say(startSysex, sysex.capabilityAnswer, ...pins.flat(), endSysex);
    } else if (kind === sysex.analogMapping) {
      const channels = Array.from({ length: pinCount }, (_, pin) =>
        pin < firstAnalogPin ? 0x7f : pin - firstAnalogPin,
      );
      this.#say(startSysex, sysex.analogMappingAnswer, ...channels, endSysex);
    }
  }
}

/** Of a message that is no system-exclusive one. */
function lengthOf(first: number): number {
  if (first === reportVersion || first === 0xff) return 1;
  return (first & 0xf0) === 0xc0 || (first & 0xf0) === 0xd0 ? 2 : 3;
}

function moreModes(pin: number): readonly number[] {
  if (pin >= firstAnalogPin) return [2, 10];
  return dimmable.includes(pin) ? [3, 8] : [];
}
