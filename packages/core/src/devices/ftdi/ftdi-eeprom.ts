// The EEPROM of an FTDI chip as READ_EEPROM and WRITE_EEPROM see it: words, strings, checksum, what lies beyond.

import { ftdiEepromChecksum } from "../../codec/ftdi/ftdi.ts";
import type { FtdiChipFacts } from "./ftdi-chips.ts";

const ft232rRelease = 0x0600;

export interface FtdiIdentity {
  readonly idVendor: number;
  readonly idProduct: number;
  readonly serialNumber: string;
}

export class FtdiEeprom {
  readonly #facts: FtdiChipFacts["eeprom"];
  readonly #words: Uint16Array;

  constructor(chip: FtdiChipFacts, identity: FtdiIdentity) {
    this.#facts = chip.eeprom;
    this.#words = image(chip, identity);
  }

  /** Every word is answered: libftdi reads 128 of them from any chip before it looks which one it is. */
  read(index: number): number {
    const { words, beyond } = this.#facts;
    if (index < words) return this.#words[index];
    return beyond === "again" ? this.#words[index % words] : 0xffff;
  }

  /** False where there is nothing to write. */
  write(index: number, value: number): boolean {
    const { words, beyond } = this.#facts;
    if (index >= words && beyond !== "again") return false;
    this.#words[index % words] = value;
    return true;
  }

  erase(): void {
    this.#words.fill(0xffff);
  }
}

/** Ids, release, attributes, three string descriptors, and the checksum in its word. */
function image(chip: FtdiChipFacts, identity: FtdiIdentity): Uint16Array {
  const { words: count, checksumWord, stringsAt, pointers, unsummed } = chip.eeprom;
  const bytes = new Uint8Array(count * 2);
  const put = (word: number, value: number): void => {
    bytes[word * 2] = value & 0xff;
    bytes[word * 2 + 1] = value >> 8;
  };
  put(0, chip.bcdDevice === ft232rRelease ? 0x4000 : 0);
  put(1, identity.idVendor);
  put(2, identity.idProduct);
  put(3, chip.bcdDevice);
  put(4, 0x2da0);
  put(5, 0x0008);
  // CBUS0 to CBUS4 as the FT232R leaves the factory: TXLED, RXLED, TXDEN, PWREN, SLEEP. Linux reads word 0Ah.
  if (chip.bcdDevice === ft232rRelease) {
    put(0x0a, 0x1023);
    put(0x0b, 0x0005);
  }
  let at = stringsAt;
  const end = checksumWord * 2;
  [
    ["FTDI", pointers[0]],
    [chip.product, pointers[1]],
    [identity.serialNumber, pointers[2]],
  ].forEach(([text, word]) => {
    const string = String(text).slice(0, Math.max(0, (end - at - 2) >> 1));
    const length = 2 + string.length * 2;
    put(Number(word), (at & 0xff) | (at < 0x80 ? 0x80 : 0) | (length << 8));
    bytes[at] = length;
    bytes[at + 1] = 3;
    for (let index = 0; index < string.length; index++) bytes[at + 2 + index * 2] = string.charCodeAt(index);
    at += length;
  });
  const words = Uint16Array.from(
    { length: count },
    (_, index) => bytes[index * 2] | (bytes[index * 2 + 1] << 8),
  );
  const summed = [...words.subarray(0, checksumWord + 1)].filter(
    (_, index) => unsummed === undefined || index < unsummed[0] || index >= unsummed[1],
  );
  words[checksumWord] = ftdiEepromChecksum(Uint16Array.from(summed));
  return words;
}
