// The device side of STK500 version 1, as an ATmega328P with a boot loader has it. Atmel AVR061, chapters 3 to 5.

/** AVR061 §5: commands and answers. */
const stk = { ok: 0x10, inSync: 0x14, noSync: 0x15, endOfCommand: 0x20 } as const;
/** Parameter bytes behind each command, the end mark not counted; those that are not here say their own length. */
const parameterBytes: Readonly<Record<number, number>> = {
  48: 0, // GET_SYNC
  65: 1, // GET_PARAMETER
  66: 20, // SET_DEVICE
  80: 0, // ENTER_PROGMODE
  81: 0, // LEAVE_PROGMODE
  85: 2, // LOAD_ADDRESS
  86: 4, // UNIVERSAL
  116: 3, // READ_PAGE
  117: 0, // READ_SIGN
};
const setDeviceExtended = 0x45;
const programPage = 0x64;
const signature = [0x1e, 0x95, 0x0f];

export class Stk500Target {
  readonly flash = Buffer.alloc(32 * 1024, 0xff);
  /** Commands as they came. */
  readonly commands: number[] = [];
  #waiting = Buffer.alloc(0);
  /** In words of 16 bits. */
  #address = 0;

  /** Takes bytes of the line; answers what goes back. */
  push(bytes: Buffer): Buffer {
    this.#waiting = Buffer.concat([this.#waiting, bytes]);
    const answers: number[] = [];
    for (;;) {
      const length = this.#length();
      if (length === null || this.#waiting.length < length) return Buffer.from(answers);
      const command = this.#waiting.subarray(0, length);
      this.#waiting = this.#waiting.subarray(length);
      if (command[length - 1] === stk.endOfCommand)
        answers.push(stk.inSync, ...this.#perform(command), stk.ok);
      else answers.push(stk.noSync);
    }
  }

  /** Of the command at the front, with its end mark; null: more must come before it is known. */
  #length(): number | null {
    const [command, first] = this.#waiting;
    if (command === undefined) return null;
    if (command === setDeviceExtended) return first === undefined ? null : 1 + first + 1;
    if (command === programPage)
      return this.#waiting.length < 3 ? null : 4 + this.#waiting.readUInt16BE(1) + 1;
    return 1 + (parameterBytes[command] ?? 0) + 1;
  }

  #perform(command: Buffer): readonly number[] {
    this.commands.push(command[0]);
    switch (command[0]) {
      case 0x41:
        return [3];
      case 0x55:
        this.#address = command.readUInt16LE(1);
        return [];
      // The chip's own serial instruction goes through: 30h reads a byte of the signature (ATmega328P, Serial Programming).
      case 0x56:
        return [command[1] === 0x30 ? signature[command[3] & 3] : 0];
      case programPage:
        command.copy(this.flash, this.#address * 2, 4, command.length - 1);
        return [];
      case 0x74:
        return [...this.flash.subarray(this.#address * 2, this.#address * 2 + command.readUInt16BE(1))];
      case 0x75:
        return signature;
      default:
        return [];
    }
  }
}
