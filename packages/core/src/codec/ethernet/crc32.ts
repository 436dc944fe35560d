// The CRC-32 of Ethernet frames and NCM datagrams, and the multicast hash made of it. IEEE 802.3 §3.2.9.

import { macAddressBytes } from "./ethernet.ts";

/** 04C11DB7h with its bits reversed: bytes go in with their least significant bit first. */
const polynomial = 0xedb88320;
const table = new Int32Array(256).map((_, index) => {
  let crc = index;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) !== 0 ? (crc >>> 1) ^ polynomial : crc >>> 1;
  return crc;
});

function register(bytes: Uint8Array, offset: number, length: number): number {
  let crc = -1;
  for (let index = offset; index < offset + length; index++)
    crc = (crc >>> 8) ^ table[(crc ^ bytes[index]) & 0xff];
  return crc;
}

/** Unsigned; written least significant byte first it is the FCS. */
export function crc32(bytes: Uint8Array, offset = 0, length = bytes.length - offset): number {
  return ~register(bytes, offset, length) >>> 0;
}

/**
 * Index of an address in a hash filter of 64 bits, byte `index >> 3`, bit `index & 7`: the six most significant bits of the
 * register, which is not inverted at the end (AX88772 and most adapters of its time).
 */
export function multicastHash(address: Uint8Array, offset = 0): number {
  const crc = register(address, offset, macAddressBytes);
  let index = 0;
  // The register is held with its bits reversed: its top six are the lowest six, last first.
  for (let bit = 0; bit < 6; bit++) index = (index << 1) | ((crc >>> bit) & 1);
  return index;
}
