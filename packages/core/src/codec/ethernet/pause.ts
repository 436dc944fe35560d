// PAUSE frames: one end of a cable asks the other to be silent. IEEE 802.3-2018 clause 31 and annex 31B.

import { getU16be, putU16be } from "../../base/bytes.ts";
import { isSameAddress, macAddressBytes, minimumFrameBytes } from "./ethernet.ts";

/** Table 31A-1: the type of every MAC control frame. */
export const macControlType = 0x8808;
/** Annex 31B.1: 01-80-C2-00-00-01, which no bridge passes on. */
export const pauseAddress: Readonly<Uint8Array> = Uint8Array.of(0x01, 0x80, 0xc2, 0, 0, 0x01);
const pauseOpcode = 0x0001;
const opcodeAt = 14;
const timeAt = 16;
export const longestPause = 0xffff;

/** A whole frame of 60 bytes. `quanta`: 0 to FFFFh, in units of 512 bit times; 0 ends a pause. */
export function encodePause(source: Uint8Array, quanta: number): Uint8Array {
  const frame = new Uint8Array(minimumFrameBytes);
  frame.set(pauseAddress);
  frame.set(source.subarray(0, macAddressBytes), macAddressBytes);
  putU16be(frame, 12, macControlType);
  putU16be(frame, opcodeAt, pauseOpcode);
  putU16be(frame, timeAt, quanta);
  return frame;
}

/** The pause that a frame asks of station `address`, in units of 512 bit times; null when it is not a PAUSE for it (31B.3.3). Takes any bytes. */
export function pauseOf(
  bytes: Uint8Array,
  offset: number,
  length: number,
  address: Uint8Array | null,
): number | null {
  if (length < timeAt + 2 || getU16be(bytes, offset + 12) !== macControlType) return null;
  if (getU16be(bytes, offset + opcodeAt) !== pauseOpcode) return null;
  const isForAll = isSameAddress(bytes, offset, pauseAddress, 0);
  if (!isForAll && (address === null || !isSameAddress(bytes, offset, address, 0))) return null;
  return getU16be(bytes, offset + timeAt);
}

/** How long so many units last at a rate, nanoseconds. */
export function pauseNs(quanta: number, bitsPerSecond: number): number {
  return (quanta * 512 * 1e9) / bitsPerSecond;
}

/** 802.1Q §8.6.3, table 8-1: 01-80-C2-00-00-00 to -0F stay on their cable. */
export function isForThisCable(bytes: Uint8Array, offset: number): boolean {
  for (let index = 0; index < macAddressBytes - 1; index++)
    if (bytes[offset + index] !== pauseAddress[index]) return false;
  return bytes[offset + 5] <= 0x0f;
}
