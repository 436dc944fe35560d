// What differs between FTDI's chips: ids, release, speed, ports, divisors, rings, EEPROM.

import { UsbSpeed } from "../../codec/usb/usb-speed.ts";

export interface FtdiChipFacts {
  readonly product: string;
  readonly idProduct: number;
  /** Hosts tell the chips apart by this. */
  readonly bcdDevice: number;
  readonly speed: UsbSpeed;
  readonly packetBytes: number;
  readonly ports: number;
  /**
   * Where SET_BAUD_RATE carries the divisor's bits above the 16 of wValue: wIndex itself (FT232B and R), or its high
   * byte with the port below it (FT2232 and everything later).
   */
  readonly divisorHigh: "index" | "index-high-byte";
  /** Bits above the 16 of a divisor that the chip reads: 16, and on the H chips 17 (posts.md P13). */
  readonly divisorHighMask: number;
  /** Ring sizes as powers of two: from the wire to the host, and from the host to the wire. */
  readonly receiveLog: number;
  readonly transmitLog: number;
  readonly eeprom: FtdiEepromFacts;
}

export interface FtdiEepromFacts {
  /** Words that can be written; reads beyond begin again at word 0, or answer `beyond`. */
  readonly words: number;
  /** What lies in an FT232R above its 64 words is readable and documented nowhere: answered as erased (unknown). */
  readonly beyond: "again" | "erased";
  /** The word that holds the checksum of those before it. */
  readonly checksumWord: number;
  /** Words that the checksum leaves out: the FT-X's user area. */
  readonly unsummed?: readonly [from: number, to: number];
  /** Byte offset of the first string, and the words that point to the three strings. */
  readonly stringsAt: number;
  readonly pointers: readonly [number, number, number];
}

const ft232rEeprom: FtdiEepromFacts = {
  words: 64,
  beyond: "erased",
  checksumWord: 63,
  stringsAt: 0x18,
  pointers: [7, 8, 9],
};
/** A 93C46 beside the chip, as most boards of the older chips have it: 64 words, the checksum in the last one. */
const smallExternalEeprom: FtdiEepromFacts = {
  words: 64,
  beyond: "again",
  checksumWord: 63,
  stringsAt: 0x14,
  pointers: [7, 8, 9],
};
/** A 93C56 beside the chip: AN_124, AN_126. */
const externalEeprom: FtdiEepromFacts = {
  words: 128,
  beyond: "again",
  checksumWord: 127,
  stringsAt: 0x9a,
  pointers: [7, 8, 9],
};
/** 2 KiB in the chip, of which hosts read the first 128 words: AN_201. */
const ftxMemory: FtdiEepromFacts = {
  words: 1024,
  beyond: "again",
  checksumWord: 127,
  unsummed: [0x12, 0x40],
  stringsAt: 0xa0,
  pointers: [7, 8, 9],
};

export const ftdiChips = {
  ft232r: {
    product: "FT232R USB UART",
    idProduct: 0x6001,
    bcdDevice: 0x0600,
    speed: UsbSpeed.full,
    packetBytes: 64,
    ports: 1,
    divisorHigh: "index",
    divisorHighMask: 1,
    receiveLog: 8,
    transmitLog: 7,
    eeprom: ft232rEeprom,
  },
  ft230x: {
    product: "FT230X Basic UART",
    idProduct: 0x6015,
    bcdDevice: 0x1000,
    speed: UsbSpeed.full,
    packetBytes: 64,
    ports: 1,
    divisorHigh: "index-high-byte",
    divisorHighMask: 1,
    receiveLog: 9,
    transmitLog: 9,
    eeprom: ftxMemory,
  },
  ft232h: {
    product: "Single RS232-HS",
    idProduct: 0x6014,
    bcdDevice: 0x0900,
    speed: UsbSpeed.high,
    packetBytes: 512,
    ports: 1,
    divisorHigh: "index-high-byte",
    divisorHighMask: 3,
    receiveLog: 10,
    transmitLog: 10,
    eeprom: externalEeprom,
  },
  ft2232h: {
    product: "Dual RS232-HS",
    idProduct: 0x6010,
    bcdDevice: 0x0700,
    speed: UsbSpeed.high,
    packetBytes: 512,
    ports: 2,
    divisorHigh: "index-high-byte",
    divisorHighMask: 3,
    receiveLog: 12,
    transmitLog: 12,
    eeprom: externalEeprom,
  },
  ft4232h: {
    product: "Quad RS232-HS",
    idProduct: 0x6011,
    bcdDevice: 0x0800,
    speed: UsbSpeed.high,
    packetBytes: 512,
    ports: 4,
    divisorHigh: "index-high-byte",
    divisorHighMask: 3,
    receiveLog: 11,
    transmitLog: 11,
    eeprom: externalEeprom,
  },
  // The chips of before share their ids with later ones: only the release tells them apart. Their receive rings hold 384 bytes.
  ft232b: {
    product: "USB <-> Serial",
    idProduct: 0x6001,
    bcdDevice: 0x0400,
    speed: UsbSpeed.full,
    packetBytes: 64,
    ports: 1,
    divisorHigh: "index",
    divisorHighMask: 1,
    receiveLog: 8,
    transmitLog: 7,
    eeprom: smallExternalEeprom,
  },
  ft2232d: {
    product: "Dual RS232",
    idProduct: 0x6010,
    bcdDevice: 0x0500,
    speed: UsbSpeed.full,
    packetBytes: 64,
    ports: 2,
    divisorHigh: "index-high-byte",
    divisorHighMask: 1,
    receiveLog: 8,
    transmitLog: 7,
    eeprom: smallExternalEeprom,
  },
} as const satisfies Record<string, FtdiChipFacts>;

export type FtdiChip = keyof typeof ftdiChips;

/** The chip whose product id this is in FTDI's own devices; null for ids of other vendors' products. */
export function ftdiChipOfProduct(idProduct: number): FtdiChip | null {
  const found = Object.entries(ftdiChips).find(([, facts]) => facts.idProduct === idProduct);
  return found === undefined ? null : (found[0] as FtdiChip);
}
