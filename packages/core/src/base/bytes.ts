// Reading bytes that may be hostile: a cursor that never runs past the end and says where it stopped.

import { DecodeError } from "./errors.ts";

/** Reads forward over `bytes[start .. end)`. Every failure is a DecodeError whose offset counts from byte 0. */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly end: number;
  readonly subject: string;
  offset: number;

  constructor(bytes: Uint8Array, subject: string, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.subject = subject;
    this.offset = start;
    this.end = Math.min(end, bytes.length);
  }

  get remaining(): number {
    return this.end - this.offset;
  }

  /** Throws unless `count` more bytes are there. */
  need(count: number, what: string): void {
    if (this.remaining < count) {
      throw new DecodeError(this.subject, this.end, `${what} needs ${count} bytes, ${this.remaining} left`);
    }
  }

  fail(problem: string, offset = this.offset): never {
    throw new DecodeError(this.subject, offset, problem);
  }

  u8(what: string): number {
    this.need(1, what);
    return this.bytes[this.offset++];
  }

  u16le(what: string): number {
    this.need(2, what);
    const at = this.offset;
    this.offset += 2;
    return this.bytes[at] | (this.bytes[at + 1] << 8);
  }

  u32le(what: string): number {
    this.need(4, what);
    const at = this.offset;
    this.offset += 4;
    const bytes = this.bytes;
    return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
  }

  /** A copy of the next `count` bytes. */
  take(count: number, what: string): Uint8Array {
    this.need(count, what);
    const at = this.offset;
    this.offset += count;
    return this.bytes.slice(at, at + count);
  }
}

export function putU16le(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value & 0xff;
  bytes[offset + 1] = (value >> 8) & 0xff;
}

export function putU32le(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value & 0xff;
  bytes[offset + 1] = (value >>> 8) & 0xff;
  bytes[offset + 2] = (value >>> 16) & 0xff;
  bytes[offset + 3] = (value >>> 24) & 0xff;
}

export function getU16le(bytes: Uint8Array, offset: number): number {
  return bytes[offset] | (bytes[offset + 1] << 8);
}

export function getU32le(bytes: Uint8Array, offset: number): number {
  return (
    (bytes[offset] | (bytes[offset + 1] << 8) | (bytes[offset + 2] << 16) | (bytes[offset + 3] << 24)) >>> 0
  );
}

export function putU16be(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = (value >> 8) & 0xff;
  bytes[offset + 1] = value & 0xff;
}

export function putU24be(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = (value >> 16) & 0xff;
  bytes[offset + 1] = (value >> 8) & 0xff;
  bytes[offset + 2] = value & 0xff;
}

export function putU32be(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = (value >>> 24) & 0xff;
  bytes[offset + 1] = (value >>> 16) & 0xff;
  bytes[offset + 2] = (value >>> 8) & 0xff;
  bytes[offset + 3] = value & 0xff;
}

/** `value` is a non-negative integer below 2^53. */
export function putU64be(bytes: Uint8Array, offset: number, value: number): void {
  putU32be(bytes, offset, Math.floor(value / 4294967296));
  putU32be(bytes, offset + 4, value >>> 0);
}

export function getU16be(bytes: Uint8Array, offset: number): number {
  return (bytes[offset] << 8) | bytes[offset + 1];
}

export function getU24be(bytes: Uint8Array, offset: number): number {
  return (bytes[offset] << 16) | (bytes[offset + 1] << 8) | bytes[offset + 2];
}

export function getU32be(bytes: Uint8Array, offset: number): number {
  return (
    ((bytes[offset] << 24) | (bytes[offset + 1] << 16) | (bytes[offset + 2] << 8) | bytes[offset + 3]) >>> 0
  );
}

/** Exact below 2^53; above it the nearest number, so that comparisons with a limit stay right. */
export function getU64be(bytes: Uint8Array, offset: number): number {
  return getU32be(bytes, offset) * 4294967296 + getU32be(bytes, offset + 4);
}

/** Whether both have the same length and the same bytes. */
export function isSameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}

export { isSameBytes as sameBytes };
