// PERSISTENT RESERVE IN and OUT data. SPC-4 r37 §6.15 and §6.16, transport IDs §7.6.4.

import { getU16be, getU32be, putU16be, putU32be } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";
import { encodeUtf8 } from "../../base/text.ts";

export const ReserveInAction = {
  readKeys: 0,
  readReservation: 1,
  reportCapabilities: 2,
  readFullStatus: 3,
} as const;
export const ReserveOutAction = {
  register: 0,
  reserve: 1,
  release: 2,
  clear: 3,
  preempt: 4,
  preemptAndAbort: 5,
  registerAndIgnore: 6,
} as const;

/** Types of persistent reservations (SPC-4 table 129). */
export const ReservationType = {
  writeExclusive: 1,
  exclusiveAccess: 3,
  writeExclusiveRegistrantsOnly: 5,
  exclusiveAccessRegistrantsOnly: 6,
  writeExclusiveAllRegistrants: 7,
  exclusiveAccessAllRegistrants: 8,
} as const;

/** A reservation key is 64 bits of the initiator's: sixteen hexadecimal digits, so that keys compare and print. */
export type ReservationKey = string;
export const noKey: ReservationKey = "0000000000000000";

export function getKey(bytes: Uint8Array, at: number): ReservationKey {
  return (
    getU32be(bytes, at).toString(16).padStart(8, "0") +
    getU32be(bytes, at + 4)
      .toString(16)
      .padStart(8, "0")
  );
}

export function putKey(bytes: Uint8Array, at: number, key: ReservationKey): void {
  putU32be(bytes, at, Number.parseInt(key.slice(0, 8), 16));
  putU32be(bytes, at + 4, Number.parseInt(key.slice(8, 16), 16));
}

export const reserveOutBytes = 24;

export interface ReserveOut {
  readonly key: ReservationKey;
  readonly actionKey: ReservationKey;
  readonly specifyInitiators: boolean;
  readonly allTargetPorts: boolean;
  readonly throughPowerLoss: boolean;
}

export function encodeReserveOut(data: ReserveOut): Uint8Array {
  const bytes = new Uint8Array(reserveOutBytes);
  putKey(bytes, 0, data.key);
  putKey(bytes, 8, data.actionKey);
  bytes[20] =
    (data.specifyInitiators ? 0x08 : 0) |
    (data.allTargetPorts ? 0x04 : 0) |
    (data.throughPowerLoss ? 0x01 : 0);
  return bytes;
}

export function decodeReserveOut(bytes: Uint8Array, at = 0): ReserveOut {
  if (bytes.length - at < reserveOutBytes)
    throw new DecodeError("PERSISTENT RESERVE OUT list", bytes.length, "needs 24 bytes");
  return {
    key: getKey(bytes, at),
    actionKey: getKey(bytes, at + 8),
    specifyInitiators: (bytes[at + 20] & 0x08) !== 0,
    allTargetPorts: (bytes[at + 20] & 0x04) !== 0,
    throughPowerLoss: (bytes[at + 20] & 0x01) !== 0,
  };
}

function generationHeader(generation: number, bodyBytes: number): Uint8Array {
  const bytes = new Uint8Array(8 + bodyBytes);
  putU32be(bytes, 0, generation >>> 0);
  putU32be(bytes, 4, bodyBytes);
  return bytes;
}

export function encodeKeys(generation: number, keys: readonly ReservationKey[]): Uint8Array {
  const bytes = generationHeader(generation, 8 * keys.length);
  for (const [index, key] of keys.entries()) putKey(bytes, 8 + 8 * index, key);
  return bytes;
}

export function decodeKeys(bytes: Uint8Array): { generation: number; keys: ReservationKey[] } {
  if (bytes.length < 8) throw new DecodeError("READ KEYS data", bytes.length, "needs 8 bytes");
  const end = Math.min(bytes.length, 8 + getU32be(bytes, 4));
  const keys: ReservationKey[] = [];
  for (let at = 8; at + 8 <= end; at += 8) keys.push(getKey(bytes, at));
  return { generation: getU32be(bytes, 0), keys };
}

export function encodeReservation(
  generation: number,
  held: { readonly key: ReservationKey; readonly type: number } | null,
): Uint8Array {
  const bytes = generationHeader(generation, held === null ? 0 : 16);
  if (held !== null) {
    putKey(bytes, 8, held.key);
    bytes[21] = held.type;
  }
  return bytes;
}

export function decodeReservation(bytes: Uint8Array): { key: ReservationKey; type: number } | null {
  if (bytes.length < 8) throw new DecodeError("READ RESERVATION data", bytes.length, "needs 8 bytes");
  if (getU32be(bytes, 4) < 16 || bytes.length < 24) return null;
  return { key: getKey(bytes, 8), type: bytes[21] & 0x0f };
}

/** All six types, ATP_C, PTPL_C as told, type mask valid. */
export function encodeReservationCapabilities(canPersist: boolean, persists: boolean): Uint8Array {
  const bytes = new Uint8Array(8);
  putU16be(bytes, 0, 8);
  // CRH (SPC-2 RESERVE is tolerated from the holder) and PTPL_C.
  bytes[2] = canPersist ? 0x01 : 0;
  bytes[3] = 0x80 | (persists ? 0x01 : 0);
  // WR_EX_AR, EX_AC_RO, WR_EX_RO, EX_AC, WR_EX; then EX_AC_AR.
  bytes[4] = 0xea;
  bytes[5] = 0x01;
  return bytes;
}

export interface FullStatus {
  readonly key: ReservationKey;
  readonly isHolder: boolean;
  readonly type: number;
  readonly relativePort: number;
  readonly transportId: Uint8Array;
}

export function encodeFullStatus(generation: number, registrants: readonly FullStatus[]): Uint8Array {
  let length = 0;
  for (const { transportId } of registrants) length += 24 + transportId.length;
  const bytes = generationHeader(generation, length);
  let at = 8;
  for (const { key, isHolder, type, relativePort, transportId } of registrants) {
    putKey(bytes, at, key);
    bytes[at + 12] = isHolder ? 0x01 : 0;
    bytes[at + 13] = isHolder ? type : 0;
    putU16be(bytes, at + 18, relativePort);
    putU32be(bytes, at + 20, transportId.length);
    bytes.set(transportId, at + 24);
    at += 24 + transportId.length;
  }
  return bytes;
}

export function decodeFullStatus(bytes: Uint8Array): FullStatus[] {
  if (bytes.length < 8) throw new DecodeError("READ FULL STATUS data", bytes.length, "needs 8 bytes");
  const end = Math.min(bytes.length, 8 + getU32be(bytes, 4));
  const found: FullStatus[] = [];
  for (let at = 8; at + 24 <= end; ) {
    const length = getU32be(bytes, at + 20);
    if (at + 24 + length > end)
      throw new DecodeError("READ FULL STATUS data", at + 20, "a transport ID does not fit");
    found.push({
      key: getKey(bytes, at),
      isHolder: (bytes[at + 12] & 1) !== 0,
      type: bytes[at + 13] & 0x0f,
      relativePort: getU16be(bytes, at + 18),
      transportId: bytes.slice(at + 24, at + 24 + length),
    });
    at += 24 + length;
  }
  return found;
}

/** Transport ID of an iSCSI initiator port: `name` alone, or `name,i,0xISID` (SPC-4 §7.6.4.6), padded to 4 bytes. */
export function iscsiTransportId(name: string, isid: string | null): Uint8Array {
  const text = encodeUtf8(isid === null ? name : `${name},i,0x${isid}`);
  const body = Math.max(20, (text.length + 1 + 3) & ~3);
  const bytes = new Uint8Array(4 + body);
  bytes[0] = (isid === null ? 0x00 : 0x40) | 0x05;
  putU16be(bytes, 2, body);
  bytes.set(text, 4);
  return bytes;
}
