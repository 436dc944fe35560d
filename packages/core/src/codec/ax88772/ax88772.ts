// ASIX AX88772, A, B and C: ids, vendor commands, registers, as public drivers and data sheets have them.

import { hex } from "../../base/text.ts";
import { Recipient, RequestType, type Setup } from "../usb/setup.ts";

export const asixVendor = 0x0b95;

/** What differs between the chips. */
export interface AxChip {
  readonly name: "ax88772" | "ax88772a" | "ax88772b" | "ax88772c";
  readonly idProduct: number;
  /** B is 1 and C is 2 under one product id: this or the PHY's id tells them apart, never the product id. */
  readonly bcdDevice: number;
  /** Bits 6:4 of command 09h. */
  readonly chipCode: number;
  /** PHY registers 2 and 3. */
  readonly phyId: readonly [number, number];
  readonly product: string;
  /** In units of 2 mA. */
  readonly bMaxPower: number;
  /** New receive headers, checksum engines, 11-bit lengths with flags above. */
  readonly hasChecksumEngine: boolean;
  /** Word 0Fh and others that differ between the images of the vendor's drivers. */
  readonly eeprom: Readonly<Record<number, number>>;
}

const phyHigh = 0x003b;

export const axChips: Readonly<Record<AxChip["name"], AxChip>> = {
  ax88772: {
    name: "ax88772",
    idProduct: 0x7720,
    bcdDevice: 0x0001,
    chipCode: 0,
    phyId: [phyHigh, 0x1811],
    product: "AX88772 ",
    bMaxPower: 0x7d,
    hasChecksumEngine: false,
    eeprom: { 0: 0x0015, 1: 0x01ec, 15: 0x051c, 18: 0x1e3c },
  },
  ax88772a: {
    name: "ax88772a",
    idProduct: 0x772a,
    bcdDevice: 0x0001,
    chipCode: 1,
    phyId: [phyHigh, 0x1861],
    product: "AX88x72A",
    bMaxPower: 0x7d,
    hasChecksumEngine: false,
    eeprom: { 0: 0x5a15, 1: 0x71ec, 15: 0x059c, 18: 0x2454 },
  },
  ax88772b: {
    name: "ax88772b",
    idProduct: 0x772b,
    bcdDevice: 0x0001,
    chipCode: 2,
    phyId: [phyHigh, 0x1861],
    product: "AX88772B",
    bMaxPower: 0x64,
    hasChecksumEngine: true,
    eeprom: { 0: 0x5a15, 1: 0x75ec, 15: 0x0580, 18: 0x2442, 24: 0x0900 },
  },
  ax88772c: {
    name: "ax88772c",
    idProduct: 0x772b,
    bcdDevice: 0x0002,
    chipCode: 2,
    phyId: [phyHigh, 0x1881],
    product: "AX88772C",
    bMaxPower: 0x64,
    hasChecksumEngine: true,
    eeprom: { 0: 0x5a15, 1: 0x75ec, 15: 0x0580, 18: 0x2442, 24: 0x0900 },
  },
};

/** Vendor and product of every adapter known to hold one of these chips, besides the chips' own (issue of a driver's table). */
export const axOtherIds: readonly (readonly [number, number])[] = [
  [0x05ac, 0x1402],
  [0x07d1, 0x3c05],
  [0x2001, 0x3c05],
  [0x2001, 0x1a02],
  [0x13b1, 0x0018],
  [0x1557, 0x7720],
  [0x0db0, 0xa877],
  [0x0421, 0x772a],
  [0x125e, 0x180d],
  [0x0b95, 0x7e2b],
  [0x17ef, 0x7203],
  [0x066b, 0x20f9],
];

/** bRequest of vendor requests to the device; even where the number says nothing, the name says the direction. */
export const AxCommand = {
  readSram: 0x02,
  writeSram: 0x03,
  takeMii: 0x06,
  readMii: 0x07,
  writeMii: 0x08,
  readStatus: 0x09,
  releaseMii: 0x0a,
  readEeprom: 0x0b,
  writeEeprom: 0x0c,
  enableEeprom: 0x0d,
  disableEeprom: 0x0e,
  readRxControl: 0x0f,
  writeRxControl: 0x10,
  readIpg: 0x11,
  writeIpg: 0x12,
  readNodeId: 0x13,
  writeNodeId: 0x14,
  readMulticast: 0x15,
  writeMulticast: 0x16,
  readPhyId: 0x19,
  readMedium: 0x1a,
  writeMedium: 0x1b,
  readMonitor: 0x1c,
  writeMonitor: 0x1d,
  readGpio: 0x1e,
  writeGpio: 0x1f,
  softwareReset: 0x20,
  readPhySelect: 0x21,
  writePhySelect: 0x22,
  readWake: 0x23,
  writeWake: 0x24,
  readVlan: 0x27,
  writeVlan: 0x28,
  writeBurst: 0x2a,
  readRxChecksum: 0x2b,
  writeRxChecksum: 0x2c,
  readTxChecksum: 0x2d,
  writeTxChecksum: 0x2e,
} as const;

/** Command 09h. */
export const AxStatus = { hostEnabled: 0x01, chipCodeShift: 4 } as const;

/** Commands 0Fh and 10h. The upper byte means another thing on the 772B and C. */
export const AxRxControl = {
  promiscuous: 0x0001,
  allMulticast: 0x0002,
  keepBad: 0x0004,
  broadcast: 0x0008,
  multicast: 0x0010,
  arrayUnicast: 0x0020,
  start: 0x0080,
  /** 772, 772A: bits 9:8, 2 KiB times a power of two. */
  burstShift: 8,
  burstMask: 0x0300,
  /** 772B, 772C: a header of six bytes with what the checksum engine found; the frame's IP header on four bytes; its sum too. */
  newHeader: 0x0100,
  alignIp: 0x0200,
  withSum: 0x0400,
} as const;

/** Commands 1Ah and 1Bh. */
export const AxMedium = {
  gigabit: 0x0001,
  fullDuplex: 0x0002,
  alwaysOne: 0x0004,
  receiveFlow: 0x0010,
  transmitFlow: 0x0020,
  receive: 0x0100,
  speed100: 0x0200,
} as const;

/** Command 20h. */
export const AxReset = {
  clearReceiveError: 0x01,
  clearTransmitError: 0x02,
  externalTristate: 0x04,
  externalLevel: 0x08,
  zeroPacket: 0x10,
  phyReleased: 0x20,
  phyPowerDown: 0x40,
} as const;

/** Commands 1Eh and 1Fh. */
export const AxGpio = { gpo2Enable: 0x10, gpo2Value: 0x20, reloadEeprom: 0x80 } as const;
/** Command 22h. */
export const AxPhySelect = { embedded: 0x01, automatic: 0x02, enable: 0x10 } as const;
/** Commands 2Bh to 2Eh: the bits of the first word. */
export const AxChecksum = {
  ipv4: 0x0001,
  rxTcp: 0x0008,
  rxUdp: 0x0010,
  rxIcmp: 0x0020,
  rxTcpV6: 0x0100,
  rxUdpV6: 0x0200,
  txTcp: 0x0002,
  txUdp: 0x0004,
  txIcmp: 0x0008,
  txV6Shift: 8,
} as const;

/** The embedded PHY's address; the low byte of command 19h is the other one, E0h for none. */
export const axPhyAddress = 0x10;
export const axNoSecondPhy = 0xe0;

/** Registers of clause 22 of IEEE 802.3, and their bits. */
export const Mii = {
  bmcr: 0,
  bmsr: 1,
  id1: 2,
  id2: 3,
  anar: 4,
  lpa: 5,
} as const;
export const MiiControl = {
  reset: 0x8000,
  speed100: 0x2000,
  autoNegotiate: 0x1000,
  powerDown: 0x0800,
  restart: 0x0200,
  fullDuplex: 0x0100,
} as const;
export const MiiStatus = { link: 0x0004, negotiated: 0x0020 } as const;
/** Advertisement and link partner ability (clause 28). */
export const MiiAbility = {
  half10: 0x0020,
  full10: 0x0040,
  half100: 0x0080,
  full100: 0x0100,
  pause: 0x0400,
  asymmetricPause: 0x0800,
} as const;

/** Bytes per burst of the 772B and C, by wValue of command 2Ah; wIndex is a threshold that goes with it. */
export const axBursts: readonly {
  readonly bytes: number;
  readonly wValue: number;
  readonly wIndex: number;
}[] = [
  { bytes: 2048, wValue: 0x8000, wIndex: 0x8001 },
  { bytes: 4096, wValue: 0x8100, wIndex: 0x8147 },
  { bytes: 6144, wValue: 0x8200, wIndex: 0x81eb },
  { bytes: 8192, wValue: 0x8300, wIndex: 0x83d7 },
  { bytes: 16384, wValue: 0x8400, wIndex: 0x851e },
  { bytes: 20480, wValue: 0x8500, wIndex: 0x8666 },
  { bytes: 24576, wValue: 0x8600, wIndex: 0x87ae },
  { bytes: 32768, wValue: 0x8700, wIndex: 0x8a3d },
];

/** The interrupt endpoint's packet: A1h, 0, link bits, 0, PHY registers 1 and 5 (the last four: likely on the 772). */
export const AxLink = { primary: 0x01, secondary: 0x02 } as const;

export function encodeAxInterrupt(link: number, bmsr: number, lpa: number): Uint8Array {
  return Uint8Array.of(0xa1, 0, link, 0, bmsr & 0xff, bmsr >> 8, lpa & 0xff, lpa >> 8);
}

/** Whether the primary PHY has a link; null for bytes that are no such packet. */
export function viewAxLink(packet: Uint8Array, length: number): boolean | null {
  if (length < 3 || packet[0] !== 0xa1) return null;
  return (packet[2] & AxLink.primary) !== 0;
}

const names: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(AxCommand).map(([name, code]) => [code, name.replace(/([A-Z])/g, "_$1").toUpperCase()]),
);

/** Names a command of these chips for traces; null for anything that is none. */
export function describeAxRequest(setup: Setup): string | null {
  const isOurs =
    (setup.bmRequestType & RequestType.mask) === RequestType.vendor &&
    (setup.bmRequestType & Recipient.mask) === Recipient.device;
  const name = isOurs ? names[setup.bRequest] : undefined;
  if (name === undefined) return null;
  const { wValue, wIndex } = setup;
  const hexWord = (value: number) => hex(value, 4);
  switch (setup.bRequest) {
    case AxCommand.readMii:
    case AxCommand.writeMii:
      return `AX ${name} phy ${hex(wValue, 2)} register ${wIndex}`;
    case AxCommand.readEeprom:
      return `AX ${name} word ${hex(wValue, 2)}`;
    case AxCommand.writeEeprom:
      return `AX ${name} word ${hex(wValue, 2)} = ${hexWord(wIndex)}`;
    default:
      return wIndex === 0
        ? `AX ${name} ${hexWord(wValue)}`
        : `AX ${name} ${hexWord(wValue)} ${hexWord(wIndex)}`;
  }
}
