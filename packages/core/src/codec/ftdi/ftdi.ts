// FTDI serial chips: requests, baud divisors, status bytes. Facts: posts.md P13, FTDI's AN232B-05.

import { hex } from "../../base/text.ts";
import { RequestType, type Setup } from "../usb/setup.ts";

export const ftdiVendorId = 0x0403;

/** Vendor requests, bmRequestType 40h and C0h. */
export const FtdiRequest = {
  reset: 0x00,
  modemControl: 0x01,
  setFlow: 0x02,
  setBaud: 0x03,
  setData: 0x04,
  getModemStatus: 0x05,
  setEventChar: 0x06,
  setErrorChar: 0x07,
  setLatency: 0x09,
  getLatency: 0x0a,
  setBitMode: 0x0b,
  readPins: 0x0c,
  readEeprom: 0x90,
  writeEeprom: 0x91,
  eraseEeprom: 0x92,
} as const;

/** wValue of reset. */
export const FtdiReset = { all: 0, purgeReceive: 1, purgeTransmit: 2 } as const;

/** wValue of modemControl: values in the low byte, which of them count in the high byte. */
export const FtdiModemControl = { dtr: 0x01, rts: 0x02, dtrMask: 0x0100, rtsMask: 0x0200 } as const;

/** High byte of setFlow's wIndex. */
export const FtdiFlow = { none: 0x00, rtsCts: 0x01, dtrDsr: 0x02, xonXoff: 0x04 } as const;

/** First status byte of each IN packet; the low nibble of the first byte reads 1. */
export const FtdiModemBit = { always: 0x01, cts: 0x10, dsr: 0x20, ri: 0x40, dcd: 0x80 } as const;
/** Second status byte. */
export const FtdiLineBit = {
  dataReady: 0x01,
  overrun: 0x02,
  parity: 0x04,
  framing: 0x08,
  break: 0x10,
  holdingEmpty: 0x20,
  transmitterEmpty: 0x40,
  fifoError: 0x80,
} as const;
export const ftdiStatusBytes = 2;

export const ftdiParity = { none: 0, odd: 1, even: 2, mark: 3, space: 4 } as const;
/** Stop bits in setData's bits 12..11. */
export const ftdiStop = { one: 0, oneAndHalf: 1, two: 2 } as const;

/** wValue of setData: bits | parity << 8 | stop << 11 | break << 14. */
export interface FtdiDataFormat {
  dataBits: number;
  parity: number;
  stop: number;
  breakOn: boolean;
}

export function encodeDataFormat(format: FtdiDataFormat): number {
  return format.dataBits | (format.parity << 8) | (format.stop << 11) | (format.breakOn ? 1 << 14 : 0);
}

export function decodeDataFormat(wValue: number): FtdiDataFormat {
  return {
    dataBits: wValue & 0xff,
    parity: (wValue >> 8) & 0x7,
    stop: (wValue >> 11) & 0x3,
    breakOn: (wValue & (1 << 14)) !== 0,
  };
}

/** Chips by generation: which clock divides, and whether a port number goes into wIndex. */
export type FtdiClock = "232b" | "h";

/** Eighths of a divisor -> code in bits 14..16 (AN232B-05). */
const fractionCodes = [0, 3, 2, 4, 1, 5, 6, 7];

/** A baud rate as the chip takes it: 17 bits (B/R chips) or 18 (H chips). */
export interface FtdiDivisor {
  /** wValue of setBaud: the low 16 bits. */
  readonly value: number;
  /** Bits 16 and up; they go into wIndex (shifted by 8 on multi-port chips). */
  readonly high: number;
  /** What the chip really does, bits per second. */
  readonly actualBaud: number;
}

/** The largest divisor in eighths: 14 bits and a fraction. */
const largestDivisor = 0x3fff * 8 + 7;
/** Bit 17 of a divisor chooses the fast clock of the H chips. */
const fastClockBit = 1 << 17;
/** Receivers lose characters when the rates are further apart than this (posts.md P13 AC4). */
const rateTolerance = 0.03;

/**
 * The divisor nearest to `baud`, or null when the chip has none within 3 %. B/R chips divide 3 MHz in eighths, with
 * 3 M -> 0 and 2 M -> 1; H chips divide 12 MHz and set bit 17, and fall back to 3 MHz for rates below 733.
 */
export function ftdiDivisor(baud: number, clock: FtdiClock = "232b"): FtdiDivisor | null {
  if (!(baud >= 1)) return null;
  const isFast = clock === "h" && (12_000_000 * 8) / baud <= largestDivisor;
  const base = isFast ? 12_000_000 : 3_000_000;
  let eighths = Math.round((base * 8) / baud);
  // Divisors between 1 and 2 do not exist, but for exactly 1 and 1.5 (AN232B-05 §4).
  if (eighths < 10) eighths = 8;
  else if (eighths < 14) eighths = 12;
  else if (eighths < 16) eighths = 16;
  if (eighths > largestDivisor) return null;
  const actualBaud = Math.round((base * 8) / eighths);
  if (!(Math.abs((base * 8) / eighths - baud) / baud <= rateTolerance)) return null;
  let code = (eighths >> 3) | (fractionCodes[eighths & 7] << 14);
  if (eighths === 8) code = 0;
  else if (eighths === 12) code = 1;
  if (isFast) code |= fastClockBit;
  return { value: code & 0xffff, high: code >> 16, actualBaud };
}

/**
 * The rate that a divisor code means, bits per second. `high` holds bits 16 and 17; higher bits are ignored. Codes
 * that the chip does not define (a fraction of less than 1) mean the undivided clock here.
 */
export function ftdiBaudOf(value: number, high: number): number {
  const code = value | ((high & 0x3) << 16);
  const base = (code & fastClockBit) !== 0 ? 12_000_000 : 3_000_000;
  const integer = code & 0x3fff;
  const fraction = fractionCodes.indexOf((code >> 14) & 0x7);
  if (integer === 0) return base;
  if (integer === 1 && fraction === 0) return Math.round(base / 1.5);
  return Math.round((base * 8) / (integer * 8 + fraction));
}

/**
 * Removes the two status bytes of every packet, in place: `buffer[0 .. length)` holds packets of `packetBytes`, the
 * last possibly short. Returns how many data bytes remain at the front. `onStatus` sees each pair.
 */
export function stripFtdiStatus(
  buffer: Uint8Array,
  length: number,
  packetBytes: number,
  onStatus: (modem: number, line: number) => void,
): number {
  let kept = 0;
  for (let at = 0; at < length; at += packetBytes) {
    const end = Math.min(at + packetBytes, length);
    if (end - at < ftdiStatusBytes) break;
    onStatus(buffer[at], buffer[at + 1]);
    const count = end - at - ftdiStatusBytes;
    if (count > 0) buffer.copyWithin(kept, at + ftdiStatusBytes, end);
    kept += count;
  }
  return kept;
}

/** XOR and rotate over the words of an EEPROM image; the last word holds the result (AN_121). */
export function ftdiEepromChecksum(words: Uint16Array): number {
  let sum = 0xaaaa;
  for (let index = 0; index < words.length - 1; index++) {
    sum = (sum ^ words[index]) & 0xffff;
    sum = ((sum << 1) | (sum >> 15)) & 0xffff;
  }
  return sum;
}

const resetNames = ["all", "purge receive", "purge transmit"];
const flowNames: Readonly<Record<number, string>> = { 0: "none", 1: "RTS/CTS", 2: "DTR/DSR", 4: "XON/XOFF" };
const requestNames: Readonly<Record<number, string>> = {
  0: "RESET",
  1: "MODEM_CTRL",
  2: "SET_FLOW_CTRL",
  3: "SET_BAUD_RATE",
  4: "SET_DATA",
  5: "GET_MODEM_STATUS",
  6: "SET_EVENT_CHAR",
  7: "SET_ERROR_CHAR",
  9: "SET_LATENCY",
  10: "GET_LATENCY",
  11: "SET_BITMODE",
  12: "READ_PINS",
  144: "READ_EEPROM",
  145: "WRITE_EEPROM",
  146: "ERASE_EEPROM",
};

/**
 * Names an FTDI vendor request for traces; null for anything else. A SETUP does not tell the chip: a wIndex above
 * FFh is read as a multi-port chip's, where the low byte is the port and bits 16 and up of a divisor lie above it.
 */
export function describeFtdiRequest(setup: Setup): string | null {
  if ((setup.bmRequestType & RequestType.mask) !== RequestType.vendor) return null;
  const name = requestNames[setup.bRequest];
  if (name === undefined) return null;
  const { wValue, wIndex } = setup;
  switch (setup.bRequest) {
    case FtdiRequest.reset:
      return `${name} ${resetNames[wValue] ?? wValue}`;
    case FtdiRequest.modemControl: {
      const dtr = lineText("DTR", wValue, FtdiModemControl.dtrMask, FtdiModemControl.dtr);
      return `${name}${dtr}${lineText("RTS", wValue, FtdiModemControl.rtsMask, FtdiModemControl.rts)}`;
    }
    case FtdiRequest.setFlow:
      return `${name} ${flowNames[wIndex >> 8] ?? `0x${hex(wIndex >> 8, 2)}`}`;
    case FtdiRequest.setBaud:
      return `${name} ${ftdiBaudOf(wValue, wIndex > 0xff ? wIndex >> 8 : wIndex)}`;
    case FtdiRequest.setLatency:
      return `${name} ${wValue & 0xff} ms`;
    case FtdiRequest.setData: {
      const { dataBits, parity, stop, breakOn } = decodeDataFormat(wValue);
      const letter = "NOEMS"[parity] ?? "?";
      return `${name} ${dataBits}${letter}${["1", "1.5", "2"][stop] ?? "?"}${breakOn ? " break" : ""}`;
    }
    case FtdiRequest.getModemStatus:
    case FtdiRequest.getLatency:
    case FtdiRequest.readPins:
    case FtdiRequest.eraseEeprom:
      return name;
    case FtdiRequest.readEeprom:
      return `${name} word 0x${hex(wIndex, 2)}`;
    case FtdiRequest.writeEeprom:
      return `${name} word 0x${hex(wIndex, 2)} = 0x${hex(wValue, 4)}`;
    default:
      return `${name} value 0x${hex(wValue, 4)} index 0x${hex(wIndex, 4)}`;
  }
}

/** " DTR on" when the mask says that the line counts. */
function lineText(line: string, wValue: number, mask: number, bit: number): string {
  if ((wValue & mask) === 0) return "";
  return ` ${line} ${(wValue & bit) !== 0 ? "on" : "off"}`;
}
