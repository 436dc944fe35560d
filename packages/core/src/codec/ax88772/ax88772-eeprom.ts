// The AX88772's EEPROM: 256 words, of which the chip loads the first ones. Layout as the vendor's images have it.

import type { AxChip } from "./ax88772.ts";

export const axEepromWords = 256;
const firstAddressWord = 4;
const waterWord = 0x12;
const checksumWord = 0x18;
/** The unit of the water marks: likely 128 bytes of packet memory that are free (no source names it). */
const waterUnitBytes = 128;
/** Words under the checksum: the station address is outside. */
const summedFrom = 0x07;
const summedTo = 0x0e;

/** What every image has; a chip's own words stand in its row. */
const shared: Readonly<Record<number, number>> = {
  2: 0x1220,
  3: 0x2729,
  7: 0x0409,
  8: 0x2260,
  9: 0x1271,
  10: 0x0e19,
  11: 0x043d,
  12: 0x043d,
  13: 0x043d,
  14: 0x043d,
  16: 0x0600,
  17: 0xe010,
  19: 0x1240,
  20: 0x2749,
};

/** FFh minus the sum of the bytes of words 07h to 0Eh with the carry brought round. */
export function axEepromChecksum(words: Uint16Array): number {
  let sum = 0;
  for (let index = summedFrom; index <= summedTo; index++) {
    sum += (words[index] & 0xff) + (words[index] >> 8);
    sum = (sum & 0xff) + (sum >> 8);
  }
  return 0xff - ((sum & 0xff) + (sum >> 8));
}

/** An image with that station address (first octet in the low byte of word 04h). */
export function axEepromImage(chip: AxChip, address: Uint8Array): Uint16Array {
  const words = new Uint16Array(axEepromWords).fill(0xffff);
  for (const table of [shared, chip.eeprom])
    for (const [index, value] of Object.entries(table)) words[Number(index)] = value;
  for (let index = 0; index < 3; index++)
    words[firstAddressWord + index] = address[index * 2] | (address[index * 2 + 1] << 8);
  words[checksumWord] = (words[checksumWord] & 0xff00) | axEepromChecksum(words);
  return words;
}

/** The station address in an image. */
export function axEepromAddress(words: Uint16Array): Uint8Array {
  return Uint8Array.from({ length: 6 }, (_, index) => {
    const word = words[firstAddressWord + (index >> 1)];
    return (index & 1) === 0 ? word & 0xff : word >> 8;
  });
}

/** When a MAC asks for silence, and when for more: bytes of its packet memory that are free. */
export interface AxWaterMarks {
  readonly pauseBelowBytes: number;
  readonly goOnFromBytes: number;
}

/** Word 12h of an image: the high mark in its high byte, the low one in the other. */
export function axWaterMarks(words: Uint16Array): AxWaterMarks {
  const word = words[waterWord];
  return {
    pauseBelowBytes: (word >> 8) * waterUnitBytes,
    goOnFromBytes: (word & 0xff) * waterUnitBytes,
  };
}
