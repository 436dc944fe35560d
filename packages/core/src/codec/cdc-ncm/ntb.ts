// NCM Transfer Blocks: many datagrams in one transfer, with a table of where they lie. NCM 1.0 chapter 3.

import { getU16le, getU32le, putU16le, putU32le } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";
import { crc32 } from "../ethernet/crc32.ts";
import { ethernetHeaderBytes } from "../ethernet/ethernet.ts";
import type { NtbBits } from "./cdc-ncm.ts";

/** Signatures: "NCMH", "ncmh", "NCM0", "NCM1", "ncm0", "ncm1" read as numbers. */
const Signature = {
  nth16: 0x484d434e,
  nth32: 0x686d636e,
  ndp16: 0x304d434e,
  ndp16Crc: 0x314d434e,
  ndp32: 0x306d636e,
  ndp32Crc: 0x316d636e,
} as const;

const crcBytes = 4;
/** Tables in one block at most: a loop of them ends here, and no device needs as many. */
const mostTables = 32;

/** Where things stand, for either width. */
interface Layout {
  readonly headerBytes: number;
  /** Bytes before the first pointer of a table. */
  readonly tableBytes: number;
  readonly pairBytes: number;
  readonly tableAlignment: number;
}
const layouts: Readonly<Record<NtbBits, Layout>> = {
  16: { headerBytes: 12, tableBytes: 8, pairBytes: 4, tableAlignment: 4 },
  32: { headerBytes: 16, tableBytes: 16, pairBytes: 8, tableAlignment: 8 },
};

/** One datagram of a block. The bytes are valid during the call. */
export type DatagramTaker = (bytes: Uint8Array, offset: number, length: number) => void;

/**
 * Reads blocks of either width. What a block says of itself is checked before a datagram is handed on: one whose tables or
 * pointers are wrong gives none, whatever else is in it. Tables that come back to each other, pointers outside the block, and
 * datagrams that lie over each other are refused, each with its offset. One reader reads many blocks and keeps its arrays.
 */
export class NtbReader {
  /** wSequence of the last block. */
  sequence = 0;
  /** Datagrams that were not handed on: the CRC wrong (§3.7), or no frame by their length. */
  badCrcs = 0;
  badLengths = 0;
  readonly #found = new NtbPointers();
  readonly #longest: number;

  /** `longest`: bytes of a datagram at most, without CRC. */
  constructor(longest: number) {
    this.#longest = longest;
  }

  /** Answers how many datagrams were handed on, in the order of the tables. Throws DecodeError. */
  read(bytes: Uint8Array, length: number, take: DatagramTaker): number {
    const found = this.#found;
    this.sequence = found.read(bytes, length);
    let taken = 0;
    for (let entry = 0; entry < found.count; entry++) {
      const at = found.offsets[entry];
      const hasCrc = found.hasCrc[entry] !== 0;
      const size = found.lengths[entry] - (hasCrc ? crcBytes : 0);
      if (size < ethernetHeaderBytes || size > this.#longest) this.badLengths++;
      else if (hasCrc && crc32(bytes, at, size) !== getU32le(bytes, at + size)) this.badCrcs++;
      else {
        take(bytes, at, size);
        taken++;
      }
    }
    return taken;
  }
}

/** More datagrams than this are not taken from one block: its tables would be larger than its content. */
const mostDatagrams = 8192;

/** The pointers of one block. Its arrays grow as far as blocks need them and are used again. */
class NtbPointers {
  readonly offsets: number[] = [];
  readonly lengths: number[] = [];
  readonly hasCrc: number[] = [];
  count = 0;
  #total = 0;

  read(bytes: Uint8Array, length: number): number {
    this.count = 0;
    this.#total = 0;
    if (length < 12) throw new DecodeError("NTB", length, "shorter than the smallest header");
    const signature = getU32le(bytes, 0);
    if (signature === Signature.nth16) return this.#header(bytes, length, 16);
    if (signature === Signature.nth32) return this.#header(bytes, length, 32);
    throw new DecodeError("NTB", 0, "begins with neither NCMH nor ncmh");
  }

  #header(bytes: Uint8Array, length: number, bits: NtbBits): number {
    const { headerBytes } = layouts[bits];
    if (length < headerBytes) throw new DecodeError("NTB header", length, `needs ${headerBytes} bytes`);
    if (getU16le(bytes, 4) !== headerBytes)
      throw new DecodeError("NTB header", 4, `wHeaderLength is ${getU16le(bytes, 4)}, not ${headerBytes}`);
    const claimed = bits === 16 ? getU16le(bytes, 8) : getU32le(bytes, 8);
    // §3.2.1: zero is a block that ends where its transfer ends.
    if (claimed > length)
      throw new DecodeError("NTB header", 8, `wBlockLength is ${claimed}, and ${length} bytes came`);
    const end = claimed === 0 ? length : claimed;
    if (end < headerBytes) throw new DecodeError("NTB header", 8, `wBlockLength is ${claimed}`);
    let table = bits === 16 ? getU16le(bytes, 10) : getU32le(bytes, 12);
    for (let number = 0; table !== 0; number++) {
      if (number === mostTables) throw new DecodeError("NDP", table, `more than ${mostTables} tables`);
      const next = this.#table(bytes, end, table, bits);
      // §3.3.1 has no order for tables; a chain that comes back is cut by the count, one that stands still here.
      if (next === table) throw new DecodeError("NDP", table, "points at itself");
      table = next;
    }
    return getU16le(bytes, 6);
  }

  /** Answers where the next table is, 0 for none. */
  #table(bytes: Uint8Array, end: number, at: number, bits: NtbBits): number {
    const { headerBytes, pairBytes, tableAlignment, tableBytes } = layouts[bits];
    if (at < headerBytes || at + tableBytes > end)
      throw new DecodeError("NDP", at, `lies outside the block of ${end} bytes`);
    if (at % 4 !== 0) throw new DecodeError("NDP", at, "does not begin on four bytes");
    const signature = getU32le(bytes, at);
    const [plain, withCrc] =
      bits === 16 ? [Signature.ndp16, Signature.ndp16Crc] : [Signature.ndp32, Signature.ndp32Crc];
    if (signature !== plain && signature !== withCrc)
      throw new DecodeError("NDP", at, "has a wrong signature");
    const isCrc = signature === withCrc ? 1 : 0;
    const wLength = getU16le(bytes, at + 4);
    if (wLength < tableBytes + pairBytes * 2 || wLength % tableAlignment !== 0 || at + wLength > end)
      throw new DecodeError("NDP", at + 4, `wLength is ${wLength}`);
    const next = bits === 16 ? getU16le(bytes, at + 6) : getU32le(bytes, at + 8);
    for (let pair = at + tableBytes; pair + pairBytes <= at + wLength; pair += pairBytes) {
      const offset = bits === 16 ? getU16le(bytes, pair) : getU32le(bytes, pair);
      const length = bits === 16 ? getU16le(bytes, pair + 2) : getU32le(bytes, pair + 4);
      // §3.3.1: either of the two being zero ends the table.
      if (offset === 0 || length === 0) return next;
      if (offset < headerBytes || offset + length > end)
        throw new DecodeError("NDP", pair, `a datagram of ${length} bytes at ${offset} is outside the block`);
      this.#total += length;
      if (this.#total > end)
        throw new DecodeError("NDP", pair, `${this.#total} bytes of datagrams lie over each other in ${end}`);
      if (this.count === mostDatagrams)
        throw new DecodeError("NDP", pair, `more than ${mostDatagrams} datagrams`);
      this.offsets[this.count] = offset;
      this.lengths[this.count] = length;
      this.hasCrc[this.count++] = isCrc;
    }
    throw new DecodeError("NDP", at + wLength, "has no zero pair at its end");
  }
}

/** How a sender lays blocks out. */
export interface NtbLayout {
  readonly bits: NtbBits;
  readonly withCrc: boolean;
  /** Bytes of a block at most. */
  readonly maximum: number;
  /** Datagrams of a block at most; 0: as many as fit. */
  readonly maximumDatagrams: number;
  /** Where the payload behind the Ethernet header lies: `remainder` modulo `divisor`; where tables lie: `alignment`. */
  readonly divisor: number;
  readonly remainder: number;
  readonly alignment: number;
}

/**
 * Builds one block after the other in a buffer of the caller's: `begin`, `add` while it answers true, `finish`. The table
 * stands behind the datagrams, so that none has to be moved.
 */
export class NtbWriter {
  readonly #layout: NtbLayout;
  readonly #widths: Layout;
  readonly #offsets: number[] = [];
  readonly #lengths: number[] = [];
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #count = 0;
  #sequence = 0;

  constructor(layout: NtbLayout) {
    this.#layout = layout;
    this.#widths = layouts[layout.bits];
  }

  /** Datagrams in the block. */
  get count(): number {
    return this.#count;
  }

  /** The block will be written from the beginning of `into`, which has at least `maximum` bytes. */
  begin(into: Uint8Array): void {
    this.#bytes = into;
    this.#at = this.#widths.headerBytes;
    this.#count = 0;
  }

  /** False: no room, and nothing was done. The first datagram of a block always fits when `maximum` is lawful. */
  add(frame: Uint8Array, offset: number, length: number): boolean {
    const { divisor, maximumDatagrams, remainder, withCrc } = this.#layout;
    if (maximumDatagrams > 0 && this.#count >= maximumDatagrams) return false;
    const past = this.#at + ethernetHeaderBytes - remainder;
    const at = this.#at + ((divisor - (past % divisor)) % divisor);
    const total = length + (withCrc ? crcBytes : 0);
    if (this.#endWith(at + total, this.#count + 1) > this.#layout.maximum) return false;
    const bytes = this.#bytes;
    // What an earlier block left between datagrams is nobody's to see.
    for (let gap = this.#at; gap < at; gap++) bytes[gap] = 0;
    if (length <= 96) for (let index = 0; index < length; index++) bytes[at + index] = frame[offset + index];
    else bytes.set(frame.subarray(offset, offset + length), at);
    if (withCrc) putU32le(bytes, at + length, crc32(bytes, at, length));
    this.#offsets[this.#count] = at;
    this.#lengths[this.#count++] = total;
    this.#at = at + total;
    return true;
  }

  /** Answers the block's length. `packetBytes`: one byte more where the transfer would end on a full packet and is not full. */
  finish(packetBytes = 0): number {
    const bytes = this.#bytes;
    const { headerBytes, pairBytes, tableBytes } = this.#widths;
    const is32 = this.#layout.bits === 32;
    const put = is32 ? putU32le : putU16le;
    const table = this.#tableAt(this.#at);
    for (let gap = this.#at; gap < table; gap++) bytes[gap] = 0;
    const end = this.#endWith(this.#at, this.#count);
    let total = end;
    if (packetBytes > 0 && end % packetBytes === 0 && end < this.#layout.maximum) bytes[total++] = 0;
    putU32le(bytes, 0, is32 ? Signature.nth32 : Signature.nth16);
    putU16le(bytes, 4, headerBytes);
    putU16le(bytes, 6, this.#sequence);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    put(bytes, 8, total);
    put(bytes, is32 ? 12 : 10, table);
    const { withCrc } = this.#layout;
    putU32le(
      bytes,
      table,
      is32
        ? withCrc
          ? Signature.ndp32Crc
          : Signature.ndp32
        : withCrc
          ? Signature.ndp16Crc
          : Signature.ndp16,
    );
    putU16le(bytes, table + 4, end - table);
    if (is32) {
      putU16le(bytes, table + 6, 0);
      putU32le(bytes, table + 8, 0);
      putU32le(bytes, table + 12, 0);
    } else putU16le(bytes, table + 6, 0);
    let pair = table + tableBytes;
    const half = pairBytes / 2;
    for (let entry = 0; entry < this.#count; entry++, pair += pairBytes) {
      put(bytes, pair, this.#offsets[entry]);
      put(bytes, pair + half, this.#lengths[entry]);
    }
    put(bytes, pair, 0);
    put(bytes, pair + half, 0);
    return total;
  }

  #tableAt(at: number): number {
    const alignment = Math.max(this.#layout.alignment, this.#widths.tableAlignment);
    return Math.ceil(at / alignment) * alignment;
  }

  /** Where a block ends whose datagrams end at `at`. */
  #endWith(at: number, count: number): number {
    const { pairBytes, tableAlignment, tableBytes } = this.#widths;
    const size = tableBytes + pairBytes * (count + 1);
    return this.#tableAt(at) + Math.ceil(size / tableAlignment) * tableAlignment;
  }
}
