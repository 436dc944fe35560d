// NBD: numbers and messages of both phases. The NBD protocol document (NetworkBlockDevice/nbd, doc/proto.md).

import { ByteReader, getU32be, getU64be, putU16be, putU32be, putU64be } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";
import { decodeUtf8, encodeUtf8 } from "../../base/text.ts";

/** Magic words as two halves of 32 bits. */
const initMagic = [0x4e42444d, 0x41474943] as const; // "NBDMAGIC"
const optionMagic = [0x49484156, 0x454f5054] as const; // "IHAVEOPT"
const optionReplyMagic = [0x0003e889, 0x045565a9] as const;
export const nbdRequestMagic = 0x25609513;
export const nbdSimpleReplyMagic = 0x67446698;
export const nbdStructuredReplyMagic = 0x668e33ef;

/** Handshake flags, the same bits from server and client. */
export const NbdHandshake = { fixedNewstyle: 1, noZeroes: 2 } as const;

export const NbdOption = {
  exportName: 1,
  abort: 2,
  list: 3,
  startTls: 5,
  info: 6,
  go: 7,
  structuredReply: 8,
  listMetaContext: 9,
  setMetaContext: 10,
  extendedHeaders: 11,
} as const;

const errorBit = 0x80000000;
/** Types of option replies; errors have the top bit. */
export const NbdOptionReply = {
  acknowledged: 1,
  server: 2,
  info: 3,
  metaContext: 4,
  unsupported: errorBit + 1,
  policy: errorBit + 2,
  invalid: errorBit + 3,
  platform: errorBit + 4,
  tlsRequired: errorBit + 5,
  unknown: errorBit + 6,
  shutdown: errorBit + 7,
  blockSizeRequired: errorBit + 8,
  tooBig: errorBit + 9,
} as const;

export const NbdInfo = { export: 0, name: 1, description: 2, blockSize: 3 } as const;

/** Transmission flags: what an export can do. */
export const NbdFlag = {
  hasFlags: 1 << 0,
  readOnly: 1 << 1,
  sendFlush: 1 << 2,
  sendFua: 1 << 3,
  rotational: 1 << 4,
  sendTrim: 1 << 5,
  sendWriteZeroes: 1 << 6,
  sendDf: 1 << 7,
  canMultiConn: 1 << 8,
} as const;

export const NbdCommand = {
  read: 0,
  write: 1,
  disconnect: 2,
  flush: 3,
  trim: 4,
  cache: 5,
  writeZeroes: 6,
  blockStatus: 7,
} as const;

export const NbdCommandFlag = { fua: 1, noHole: 2, df: 4, reqOne: 8, fastZero: 16 } as const;

export const NbdChunkFlag = { done: 1 } as const;
export const NbdChunk = {
  none: 0,
  offsetData: 1,
  offsetHole: 2,
  blockStatus: 5,
  error: 0x8001,
  errorOffset: 0x8002,
} as const;

export const NbdError = {
  ok: 0,
  notPermitted: 1,
  io: 5,
  outOfMemory: 12,
  invalid: 22,
  noSpace: 28,
  overflow: 75,
  notSupported: 95,
  shutdown: 108,
} as const;

export const nbdRequestBytes = 28;
export const nbdSimpleReplyBytes = 16;
export const nbdChunkHeaderBytes = 20;
export const nbdOptionHeaderBytes = 16;
export const nbdOptionReplyHeaderBytes = 20;
export const nbdGreetingBytes = 18;
/** After the answer to EXPORT_NAME, unless both sides said `noZeroes`. */
export const nbdExportNameZeroes = 124;
/** The longest string that the protocol allows. */
export const nbdStringMaximum = 4096;
export const nbdAllocationContext = "base:allocation";
/** Flags of base:allocation. */
export const NbdAllocation = { hole: 1, zero: 2 } as const;

function isMagic(bytes: Uint8Array, offset: number, magic: readonly [number, number]): boolean {
  return getU32be(bytes, offset) === magic[0] && getU32be(bytes, offset + 4) === magic[1];
}

function putMagic(bytes: Uint8Array, offset: number, magic: readonly [number, number]): void {
  putU32be(bytes, offset, magic[0]);
  putU32be(bytes, offset + 4, magic[1]);
}

/** What a server says first. */
export function encodeNbdGreeting(flags: number): Uint8Array {
  const bytes = new Uint8Array(nbdGreetingBytes);
  putMagic(bytes, 0, initMagic);
  putMagic(bytes, 8, optionMagic);
  putU16be(bytes, 16, flags);
  return bytes;
}

/** The handshake flags of 18 bytes at `offset`. Throws DecodeError for what is no newstyle greeting. */
export function decodeNbdGreeting(bytes: Uint8Array, offset: number): number {
  if (!isMagic(bytes, offset, initMagic)) throw new DecodeError("NBD greeting", 0, "NBDMAGIC is missing");
  if (!isMagic(bytes, offset + 8, optionMagic))
    throw new DecodeError("NBD greeting", 8, "this is an oldstyle server; only newstyle ones are spoken to");
  return (bytes[offset + 16] << 8) | bytes[offset + 17];
}

export function encodeNbdOption(option: number, data: Uint8Array = nothing): Uint8Array {
  const bytes = new Uint8Array(nbdOptionHeaderBytes + data.length);
  putMagic(bytes, 0, optionMagic);
  putU32be(bytes, 8, option);
  putU32be(bytes, 12, data.length);
  bytes.set(data, nbdOptionHeaderBytes);
  return bytes;
}

/** Option and length of the 16 bytes at `offset`. Throws DecodeError for a wrong magic word. */
export function decodeNbdOption(bytes: Uint8Array, offset: number): { option: number; length: number } {
  if (!isMagic(bytes, offset, optionMagic)) throw new DecodeError("NBD option", 0, "IHAVEOPT is missing");
  return { option: getU32be(bytes, offset + 8), length: getU32be(bytes, offset + 12) };
}

export function encodeNbdOptionReply(option: number, type: number, data: Uint8Array = nothing): Uint8Array {
  const bytes = new Uint8Array(nbdOptionReplyHeaderBytes + data.length);
  putMagic(bytes, 0, optionReplyMagic);
  putU32be(bytes, 8, option);
  putU32be(bytes, 12, type);
  putU32be(bytes, 16, data.length);
  bytes.set(data, nbdOptionReplyHeaderBytes);
  return bytes;
}

/** The 20 bytes at `offset`. Throws DecodeError for a wrong magic word. */
export function decodeNbdOptionReply(
  bytes: Uint8Array,
  offset: number,
): { option: number; type: number; length: number } {
  if (!isMagic(bytes, offset, optionReplyMagic))
    throw new DecodeError("NBD option reply", 0, "its magic word is wrong");
  return {
    option: getU32be(bytes, offset + 8),
    type: getU32be(bytes, offset + 12),
    length: getU32be(bytes, offset + 16),
  };
}

/** Data of INFO and GO: a name and the kinds of information that are asked for. */
export function encodeNbdInfoRequest(name: string, kinds: readonly number[]): Uint8Array {
  const text = encodeUtf8(name);
  const bytes = new Uint8Array(4 + text.length + 2 + 2 * kinds.length);
  putU32be(bytes, 0, text.length);
  bytes.set(text, 4);
  putU16be(bytes, 4 + text.length, kinds.length);
  for (const [index, kind] of kinds.entries()) putU16be(bytes, 6 + text.length + 2 * index, kind);
  return bytes;
}

/** Throws DecodeError unless the data are exactly one request. */
export function decodeNbdInfoRequest(bytes: Uint8Array): { name: string; kinds: number[] } {
  const reader = new ByteReader(bytes, "NBD information request");
  const name = takeString(reader, "name");
  reader.need(2, "count");
  const count = (reader.u8("count") << 8) | reader.u8("count");
  const kinds: number[] = [];
  for (let index = 0; index < count; index++) kinds.push((reader.u8("kind") << 8) | reader.u8("kind"));
  if (reader.remaining > 0) reader.fail(`${reader.remaining} bytes too many`);
  return { name, kinds };
}

export function encodeNbdExportInfo(sizeBytes: number, flags: number): Uint8Array {
  const bytes = new Uint8Array(12);
  putU16be(bytes, 0, NbdInfo.export);
  putU64be(bytes, 2, sizeBytes);
  putU16be(bytes, 10, flags);
  return bytes;
}

export function encodeNbdBlockSizeInfo(least: number, preferred: number, most: number): Uint8Array {
  const bytes = new Uint8Array(14);
  putU16be(bytes, 0, NbdInfo.blockSize);
  putU32be(bytes, 2, least);
  putU32be(bytes, 6, preferred);
  putU32be(bytes, 10, most);
  return bytes;
}

/** NAME and DESCRIPTION. */
export function encodeNbdTextInfo(kind: number, text: string): Uint8Array {
  const encoded = encodeUtf8(text);
  const bytes = new Uint8Array(2 + encoded.length);
  putU16be(bytes, 0, kind);
  bytes.set(encoded, 2);
  return bytes;
}

/** One entry of a LIST: the name, then words for people. */
export function encodeNbdListEntry(name: string, description: string): Uint8Array {
  const [first, second] = [encodeUtf8(name), encodeUtf8(description)];
  const bytes = new Uint8Array(4 + first.length + second.length);
  putU32be(bytes, 0, first.length);
  bytes.set(first, 4);
  bytes.set(second, 4 + first.length);
  return bytes;
}

/** Data of LIST_META_CONTEXT and SET_META_CONTEXT. */
export function encodeNbdMetaQuery(name: string, queries: readonly string[]): Uint8Array {
  const texts = [name, ...queries].map(encodeUtf8);
  const bytes = new Uint8Array(4 + texts.reduce((sum, text) => sum + 4 + text.length, 0));
  let at = 0;
  for (const [index, text] of texts.entries()) {
    putU32be(bytes, at, text.length);
    bytes.set(text, at + 4);
    at += 4 + text.length;
    if (index > 0) continue;
    putU32be(bytes, at, queries.length);
    at += 4;
  }
  return bytes;
}

/** Throws DecodeError unless the data are exactly one query list. */
export function decodeNbdMetaQuery(bytes: Uint8Array): { name: string; queries: string[] } {
  const reader = new ByteReader(bytes, "NBD meta context query");
  const name = takeString(reader, "name");
  const count = u32be(reader, "count");
  const queries: string[] = [];
  // Each query has at least its length, so a false count ends at the first one that is missing.
  for (let index = 0; index < count; index++) queries.push(takeString(reader, "query"));
  if (reader.remaining > 0) reader.fail(`${reader.remaining} bytes too many`);
  return { name, queries };
}

export function encodeNbdMetaContext(id: number, name: string): Uint8Array {
  const text = encodeUtf8(name);
  const bytes = new Uint8Array(4 + text.length);
  putU32be(bytes, 0, id);
  bytes.set(text, 4);
  return bytes;
}

/** A request of the transmission phase, filled in place. */
export interface NbdRequestHeader {
  flags: number;
  command: number;
  /** The client's cookie, 64 bits that mean nothing to a server. */
  handleHigh: number;
  handleLow: number;
  /** Exact below 2^53; anything above lies outside every disk. */
  offset: number;
  length: number;
}

export function newNbdRequestHeader(): NbdRequestHeader {
  return { flags: 0, command: 0, handleHigh: 0, handleLow: 0, offset: 0, length: 0 };
}

/** Fills `into` from the 28 bytes at `at`. False when the magic word is wrong: the stream has no meaning any more. */
export function readNbdRequest(bytes: Uint8Array, at: number, into: NbdRequestHeader): boolean {
  if (getU32be(bytes, at) !== nbdRequestMagic) return false;
  into.flags = (bytes[at + 4] << 8) | bytes[at + 5];
  into.command = (bytes[at + 6] << 8) | bytes[at + 7];
  into.handleHigh = getU32be(bytes, at + 8);
  into.handleLow = getU32be(bytes, at + 12);
  into.offset = getU64be(bytes, at + 16);
  into.length = getU32be(bytes, at + 24);
  return true;
}

export function writeNbdRequest(bytes: Uint8Array, at: number, request: NbdRequestHeader): void {
  putU32be(bytes, at, nbdRequestMagic);
  putU16be(bytes, at + 4, request.flags);
  putU16be(bytes, at + 6, request.command);
  putU32be(bytes, at + 8, request.handleHigh);
  putU32be(bytes, at + 12, request.handleLow);
  putU64be(bytes, at + 16, request.offset);
  putU32be(bytes, at + 24, request.length);
}

export function writeNbdSimpleReply(
  bytes: Uint8Array,
  at: number,
  error: number,
  handleHigh: number,
  handleLow: number,
): void {
  putU32be(bytes, at, nbdSimpleReplyMagic);
  putU32be(bytes, at + 4, error);
  putU32be(bytes, at + 8, handleHigh);
  putU32be(bytes, at + 12, handleLow);
}

/** The 20 bytes before a chunk's payload. */
export function writeNbdChunkHeader(
  bytes: Uint8Array,
  at: number,
  flags: number,
  type: number,
  handleHigh: number,
  handleLow: number,
  length: number,
): void {
  putU32be(bytes, at, nbdStructuredReplyMagic);
  putU16be(bytes, at + 4, flags);
  putU16be(bytes, at + 6, type);
  putU32be(bytes, at + 8, handleHigh);
  putU32be(bytes, at + 12, handleLow);
  putU32be(bytes, at + 16, length);
}

const nothing = new Uint8Array(0);

function u32be(reader: ByteReader, what: string): number {
  reader.need(4, what);
  const value = getU32be(reader.bytes, reader.offset);
  reader.offset += 4;
  return value;
}

function takeString(reader: ByteReader, what: string): string {
  const length = u32be(reader, `length of the ${what}`);
  if (length > nbdStringMaximum) reader.fail(`a ${what} of ${length} bytes`, reader.offset - 4);
  return decodeUtf8(reader.take(length, what));
}
