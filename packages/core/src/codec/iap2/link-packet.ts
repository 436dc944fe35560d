// Packets of the iAP2 link layer, as public observation has them (devices/accessory/README.md). Big-endian.

import { getU16be, putU16be } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";

/** Both sides send it until they have seen it: an old-protocol packet that no old device answers. */
export const iap2Detection = Uint8Array.of(0xff, 0x55, 0x02, 0x00, 0xee, 0x10);

export const Iap2Control = { synchronise: 0x80, acknowledge: 0x40, extended: 0x20, reset: 0x10 } as const;
/** Of a session in the synchronisation payload; 1 is said to be file transfer (likely). */
export const Iap2SessionType = { control: 0, fileTransfer: 1, externalAccessory: 2 } as const;

export const iap2HeaderBytes = 9;
/** Length fields have 16 bits; header and the payload's checksum count. */
export const iap2LongestPacket = 0xffff;

export interface Iap2Packet {
  /** Bits of `Iap2Control`. */
  readonly control: number;
  readonly sequence: number;
  /** Last packet that came in order; means something with the acknowledge bit. */
  readonly acknowledge: number;
  readonly sessionId: number;
  readonly payload: Uint8Array;
}

/** Two's complement of the sum: with it the bytes add up to 0. */
function checksum(bytes: Uint8Array, from: number, to: number): number {
  let sum = 0;
  for (let at = from; at < to; at++) sum += bytes[at];
  return -sum & 0xff;
}

/** Throws RangeError for a payload that no length field can say. */
export function encodeIap2Packet({
  acknowledge,
  control,
  payload,
  sequence,
  sessionId,
}: Iap2Packet): Uint8Array {
  const length = payload.length === 0 ? iap2HeaderBytes : iap2HeaderBytes + payload.length + 1;
  if (length > iap2LongestPacket)
    throw new RangeError(`a payload of ${payload.length} bytes does not fit a packet`);
  const bytes = new Uint8Array(length);
  bytes[0] = 0xff;
  bytes[1] = 0x5a;
  putU16be(bytes, 2, length);
  bytes[4] = control;
  bytes[5] = sequence;
  bytes[6] = acknowledge;
  bytes[7] = sessionId;
  bytes[8] = checksum(bytes, 0, 8);
  if (payload.length > 0) {
    bytes.set(payload, iap2HeaderBytes);
    bytes[length - 1] = checksum(payload, 0, payload.length);
  }
  return bytes;
}

/** What begins at `at`: a whole packet, the detection bytes, more to come, or nothing that belongs here. */
export type Iap2Found =
  | { readonly kind: "packet"; readonly packet: Iap2Packet; readonly bytes: number }
  | { readonly kind: "detection"; readonly bytes: number }
  | { readonly kind: "incomplete" }
  | { readonly kind: "noise"; readonly reason: string };

/** Never throws: what came may be anything. `payload` is a view of `bytes`. */
export function findIap2Packet(bytes: Uint8Array, at = 0): Iap2Found {
  const left = bytes.length - at;
  if (left === 0) return { kind: "incomplete" };
  if (bytes[at] !== 0xff) return { kind: "noise", reason: "no packet begins here" };
  if (left === 1) return { kind: "incomplete" };
  if (bytes[at + 1] === iap2Detection[1]) {
    const has = Math.min(left, iap2Detection.length);
    for (let index = 2; index < has; index++)
      if (bytes[at + index] !== iap2Detection[index])
        return { kind: "noise", reason: "an old accessory's packet" };
    return has < iap2Detection.length ? { kind: "incomplete" } : { kind: "detection", bytes: has };
  }
  if (bytes[at + 1] !== 0x5a) return { kind: "noise", reason: "no packet begins here" };
  if (left < iap2HeaderBytes) return { kind: "incomplete" };
  if (checksum(bytes, at, at + 8) !== bytes[at + 8])
    return { kind: "noise", reason: "the header's checksum is wrong" };
  const length = getU16be(bytes, at + 2);
  if (length < iap2HeaderBytes || length === iap2HeaderBytes + 1)
    return { kind: "noise", reason: `a length of ${length} is no packet's` };
  if (left < length) return { kind: "incomplete" };
  const end = at + length - 1;
  const payload =
    length === iap2HeaderBytes ? bytes.subarray(0, 0) : bytes.subarray(at + iap2HeaderBytes, end);
  if (payload.length > 0 && checksum(payload, 0, payload.length) !== bytes[end])
    return { kind: "noise", reason: "the payload's checksum is wrong" };
  const [control, sequence, acknowledge, sessionId] = bytes.subarray(at + 4, at + 8);
  return { kind: "packet", bytes: length, packet: { control, sequence, acknowledge, sessionId, payload } };
}

export interface Iap2Session {
  readonly id: number;
  /** `Iap2SessionType`. */
  readonly type: number;
  readonly version: number;
}

/** What the two sides agree on with SYN and SYN|ACK. */
export interface Iap2LinkParameters {
  readonly maximumOutstanding: number;
  readonly maximumPacketBytes: number;
  readonly retransmissionTimeoutMs: number;
  readonly acknowledgeTimeoutMs: number;
  readonly maximumRetransmissions: number;
  readonly maximumCumulativeAcknowledges: number;
  readonly sessions: readonly Iap2Session[];
}

const linkVersion = 1;
const fixedBytes = 10;

export function encodeSynchronisation(parameters: Iap2LinkParameters): Uint8Array {
  const bytes = new Uint8Array(fixedBytes + 3 * parameters.sessions.length);
  bytes[0] = linkVersion;
  bytes[1] = parameters.maximumOutstanding;
  putU16be(bytes, 2, parameters.maximumPacketBytes);
  putU16be(bytes, 4, parameters.retransmissionTimeoutMs);
  putU16be(bytes, 6, parameters.acknowledgeTimeoutMs);
  bytes[8] = parameters.maximumRetransmissions;
  bytes[9] = parameters.maximumCumulativeAcknowledges;
  for (const [index, { id, type, version }] of parameters.sessions.entries())
    bytes.set([id, type, version], fixedBytes + 3 * index);
  return bytes;
}

/** Throws DecodeError for what cannot be worked with: cut off, another version, no packet outstanding, tiny packets. */
export function decodeSynchronisation(bytes: Uint8Array): Iap2LinkParameters {
  const what = "iAP2 synchronisation";
  if (bytes.length < fixedBytes) throw new DecodeError(what, bytes.length, `needs ${fixedBytes} bytes`);
  if (bytes[0] !== linkVersion) throw new DecodeError(what, 0, `link version ${bytes[0]} is not known`);
  if (bytes[1] === 0) throw new DecodeError(what, 1, "no packet may be outstanding");
  if ((bytes.length - fixedBytes) % 3 !== 0)
    throw new DecodeError(what, bytes.length, "a session is cut off");
  const maximumPacketBytes = getU16be(bytes, 2);
  if (maximumPacketBytes < 24)
    throw new DecodeError(what, 2, `packets of ${maximumPacketBytes} bytes hold nothing`);
  const sessions: Iap2Session[] = [];
  for (let at = fixedBytes; at < bytes.length; at += 3)
    sessions.push({ id: bytes[at], type: bytes[at + 1], version: bytes[at + 2] });
  return {
    maximumOutstanding: Math.min(127, bytes[1]),
    maximumPacketBytes,
    retransmissionTimeoutMs: Math.max(1, getU16be(bytes, 4)),
    acknowledgeTimeoutMs: getU16be(bytes, 6),
    maximumRetransmissions: bytes[8],
    maximumCumulativeAcknowledges: Math.max(1, bytes[9]),
    sessions,
  };
}
