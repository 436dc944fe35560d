// How frames lie in the bulk pipes of an AX88772: headers, padding, the pad word, and streams cut anywhere.

import { getU16le, putU16le } from "../../base/bytes.ts";
import { ethernetHeaderBytes, maximumTaggedFrameBytes } from "../ethernet/ethernet.ts";

export const axHeaderBytes = 4;
/** 772B and C with the checksum engine's header. */
export const axNewHeaderBytes = 6;
/** The low bits of both words that are length and complement on the 772B and C; above them are flags. */
export const axLengthMask = 0x07ff;
/** A header of length zero: it ends a transfer that would otherwise end on a full packet. */
const padWord = 0xffff0000;

/** Length and its complement, in all 16 bits. */
export function putAxHeader(into: Uint8Array, at: number, length: number): void {
  putU16le(into, at, length);
  putU16le(into, at + 2, ~length & 0xffff);
}

/** Bytes that a transmit transfer of one frame of `length` bytes has: with the pad word where it is needed. */
export function axTransferBytes(length: number, packetBytes: number): number {
  const plain = axHeaderBytes + length;
  return plain % packetBytes === 0 ? plain + axHeaderBytes : plain;
}

/**
 * One frame as a whole transfer; answers its length. A transfer that would end on a full packet gets the pad word, because
 * the chip waits for a short packet before it looks at what came.
 */
export function putAxTransfer(
  into: Uint8Array,
  frame: Uint8Array,
  offset: number,
  length: number,
  packetBytes: number,
): number {
  putAxHeader(into, 0, length);
  into.set(frame.subarray(offset, offset + length), axHeaderBytes);
  const total = axTransferBytes(length, packetBytes);
  if (total > axHeaderBytes + length) {
    putU16le(into, axHeaderBytes + length, padWord & 0xffff);
    putU16le(into, axHeaderBytes + length + 2, padWord >>> 16);
  }
  return total;
}

/** What a transmitting chip finds: each frame of a transfer, and what it cannot read. */
export interface AxTransmitSink {
  /** `flags`: the five bits above the length. */
  frame(bytes: Uint8Array, offset: number, length: number, flags: number): void;
  /** Complement or length wrong: the rest of the transfer is thrown away. */
  badHeader(offset: number): void;
}

/** Reads a whole transmit transfer: frames begin at even offsets, a header of length zero is passed over. */
export function readAxTransmit(bytes: Uint8Array, length: number, mask: number, sink: AxTransmitSink): void {
  let at = 0;
  while (at + axHeaderBytes <= length) {
    const first = getU16le(bytes, at);
    const second = getU16le(bytes, at + 2);
    const frameBytes = first & mask;
    if (((first ^ second) & mask) !== mask || at + axHeaderBytes + frameBytes > length) {
      sink.badHeader(at);
      return;
    }
    if (frameBytes > 0) sink.frame(bytes, at + axHeaderBytes, frameBytes, first >> 11);
    at += axHeaderBytes + frameBytes + (frameBytes & 1);
  }
}

/** How the receive stream is laid out. */
export interface AxReceiveLayout {
  /** 4, or 6 with the 772B's and C's new header. */
  readonly headerBytes: number;
  /** Units begin at multiples of this within the stream: 2, or 4 with the new header. */
  readonly alignment: number;
  /** Bits of a header word that are length: FFFFh on the 772 and A, 7FFh on the B and C. */
  readonly mask: number;
}

export const axPlainLayout: AxReceiveLayout = { headerBytes: axHeaderBytes, alignment: 2, mask: 0xffff };
export const axFlaggedLayout: AxReceiveLayout = { ...axPlainLayout, mask: axLengthMask };
export const axNewLayout: AxReceiveLayout = {
  headerBytes: axNewHeaderBytes,
  alignment: 4,
  mask: axLengthMask,
};

const padded = (bytes: number, { alignment }: AxReceiveLayout): number =>
  Math.ceil(bytes / alignment) * alignment;

/** The length that a header names; -1 when complement or length is wrong. */
function lengthAt(bytes: Uint8Array, at: number, { mask }: AxReceiveLayout): number {
  const first = getU16le(bytes, at);
  if (((first ^ getU16le(bytes, at + 2)) & mask) !== mask) return -1;
  const length = first & mask;
  return length >= ethernetHeaderBytes && length <= maximumTaggedFrameBytes ? length : -1;
}

/** One whole frame. The bytes are valid during the call. */
export type AxFrameTaker = (bytes: Uint8Array, offset: number, length: number) => void;

/**
 * Puts frames together from receive transfers. The stream goes on from one transfer to the next: a frame, or the header
 * itself, may be cut at any even place. State is held here between transfers: a driver without it loses frames under load.
 *
 * A header that is wrong ends trust in what follows. The next unit is looked for where the wrong header's own length or
 * complement puts it, and then at each place from which headers chain to the end of the transfer; what lies before is
 * lost. A frame is never made of bytes that no header vouched for.
 */
export class AxReceiveAssembler {
  badHeaders = 0;
  lostBytes = 0;
  readonly #layout: AxReceiveLayout;
  readonly #take: AxFrameTaker;
  /** A unit that is not whole yet. */
  readonly #held = new Uint8Array(axNewHeaderBytes + maximumTaggedFrameBytes + 8);
  #heldBytes = 0;
  /** Padding of the last frame that may stand at the head of the next transfer, or not be sent at all. */
  #owedPadding = 0;

  constructor(layout: AxReceiveLayout, take: AxFrameTaker) {
    this.#layout = layout;
    this.#take = take;
  }

  /** The stream begins anew: after a reset, an abort, a transfer that failed. */
  reset(): void {
    this.lostBytes += this.#heldBytes;
    this.#heldBytes = 0;
    this.#owedPadding = 0;
  }

  /** One transfer, as it came. */
  push(bytes: Uint8Array, length: number): void {
    const layout = this.#layout;
    if (length === 0) return;
    let at = this.#heldBytes > 0 ? this.#complete(bytes, length) : this.#padding(bytes, length);
    while (at < length) {
      if (at + layout.headerBytes > length) {
        this.#hold(bytes, at, length);
        return;
      }
      const frameBytes = lengthAt(bytes, at, layout);
      if (frameBytes < 0) {
        this.badHeaders++;
        const next = this.#findHeader(bytes, at, length);
        this.lostBytes += next - at;
        at = next;
        continue;
      }
      const end = at + layout.headerBytes + frameBytes;
      if (end > length) {
        this.#hold(bytes, at, length);
        return;
      }
      this.#take(bytes, at + layout.headerBytes, frameBytes);
      at += padded(layout.headerBytes + frameBytes, layout);
    }
    this.#owedPadding = at - length;
  }

  #padding(bytes: Uint8Array, length: number): number {
    const owed = this.#owedPadding;
    this.#owedPadding = 0;
    const isHeader = length >= this.#layout.headerBytes && lengthAt(bytes, 0, this.#layout) >= 0;
    return owed === 0 || isHeader ? 0 : owed;
  }

  #hold(bytes: Uint8Array, at: number, length: number): void {
    this.#held.set(bytes.subarray(at, length), 0);
    this.#heldBytes = length - at;
  }

  /** Goes on with the unit that the last transfer ended in; answers where the next one begins. */
  #complete(bytes: Uint8Array, length: number): number {
    const layout = this.#layout;
    const held = this.#held;
    let at = 0;
    if (this.#heldBytes < layout.headerBytes) {
      const wanted = Math.min(layout.headerBytes - this.#heldBytes, length);
      held.set(bytes.subarray(0, wanted), this.#heldBytes);
      this.#heldBytes += wanted;
      at = wanted;
      if (this.#heldBytes < layout.headerBytes) return length;
    }
    const frameBytes = lengthAt(held, 0, layout);
    if (frameBytes < 0) {
      this.badHeaders++;
      this.lostBytes += this.#heldBytes - at;
      this.#heldBytes = 0;
      const next = this.#findHeader(bytes, 0, length, true);
      this.lostBytes += next;
      return next;
    }
    const total = layout.headerBytes + frameBytes;
    const wanted = Math.min(total - this.#heldBytes, length - at);
    held.set(bytes.subarray(at, at + wanted), this.#heldBytes);
    this.#heldBytes += wanted;
    at += wanted;
    if (this.#heldBytes < total) return length;
    this.#heldBytes = 0;
    this.#take(held, layout.headerBytes, frameBytes);
    return at + padded(total, layout) - total;
  }

  /** Where units begin again behind a wrong header at `at`; `length` when nowhere in this transfer. */
  #findHeader(bytes: Uint8Array, at: number, length: number, mayBeHere = false): number {
    const { headerBytes, mask } = this.#layout;
    if (mayBeHere && this.#chains(bytes, at, length)) return at;
    if (!mayBeHere && at + 4 <= length) {
      for (const claimed of [getU16le(bytes, at) & mask, ~getU16le(bytes, at + 2) & mask]) {
        const next = at + padded(headerBytes + claimed, this.#layout);
        if (claimed < ethernetHeaderBytes || next + headerBytes > length) continue;
        if (lengthAt(bytes, next, this.#layout) >= 0) return next;
      }
    }
    for (let next = at + 2; next + headerBytes <= length; next += 2)
      if (this.#chains(bytes, next, length)) return next;
    return length;
  }

  /** Whether whole units follow each other from here on, at least one, up to the end or into a last one that is cut. */
  #chains(bytes: Uint8Array, from: number, length: number): boolean {
    const layout = this.#layout;
    let units = 0;
    let at = from;
    while (at + layout.headerBytes <= length) {
      const frameBytes = lengthAt(bytes, at, layout);
      if (frameBytes < 0) return false;
      if (at + layout.headerBytes + frameBytes > length) return units > 0;
      units++;
      at += padded(layout.headerBytes + frameBytes, layout);
    }
    return units > 0;
  }
}
