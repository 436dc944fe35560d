// DER and the BER that Apple's signatures contain: bounded reading of tag, length, value; writing. ITU-T X.690.

import { DecodeError } from "../../base/errors.ts";
import { decodeUtf8, encodeUtf8 } from "../../base/text.ts";

/** Identifier octets (X.690 §8.1.2) of the types that profiles, signatures and certificates use. */
export const DerTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  numericString: 0x12,
  printableString: 0x13,
  t61String: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

const constructed = 0x20;
/** Deeper nesting than any certificate has is hostile. */
const depthMaximum = 40;
/** Values in one input, so that a flood of empty ones costs bounded time. */
const nodeMaximum = 200_000;

/** One value and where its parts lie, from byte 0 of the input. */
export interface DerNode {
  readonly tag: number;
  /** Of the identifier octet. */
  readonly offset: number;
  readonly contentStart: number;
  readonly contentEnd: number;
  /** Behind the value, end-of-contents octets included. */
  readonly end: number;
}

/** A parsed place in `bytes`; children are read when asked for. Every failure is a DecodeError with its offset. */
export class DerReader {
  readonly bytes: Uint8Array;
  readonly subject: string;
  #nodes = 0;

  constructor(bytes: Uint8Array, subject: string) {
    this.bytes = bytes;
    this.subject = subject;
  }

  /** The value at `offset`, which must end by `end`. */
  read(offset = 0, end = this.bytes.length): DerNode {
    return this.#read(offset, end, 0);
  }

  /** The values inside a constructed one, in order. */
  children(node: DerNode): DerNode[] {
    if ((node.tag & constructed) === 0) this.fail(node.offset, `tag 0x${hexByte(node.tag)} has no parts`);
    const found: DerNode[] = [];
    let at = node.contentStart;
    while (at < node.contentEnd) {
      const child = this.#read(at, node.contentEnd, 0);
      found.push(child);
      at = child.end;
    }
    return found;
  }

  content(node: DerNode): Uint8Array {
    return this.bytes.subarray(node.contentStart, node.contentEnd);
  }

  /** An OCTET STRING's bytes; a constructed one (BER, X.690 §8.7) is joined. */
  octets(node: DerNode): Uint8Array {
    if ((node.tag & constructed) === 0) return this.content(node);
    const parts = this.children(node).map((part) => this.octets(part));
    const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      joined.set(part, at);
      at += part.length;
    }
    return joined;
  }

  text(node: DerNode): string {
    const bytes = this.content(node);
    if (node.tag !== DerTag.bmpString) return decodeUtf8(bytes);
    let text = "";
    for (let at = 0; at + 1 < bytes.length; at += 2)
      text += String.fromCharCode((bytes[at] << 8) | bytes[at + 1]);
    return text;
  }

  /** A whole number within 53 bits; others are a DecodeError. */
  integer(node: DerNode): number {
    const bytes = this.content(node);
    if (bytes.length === 0 || bytes.length > 7) this.fail(node.offset, `an integer of ${bytes.length} bytes`);
    let value = (bytes[0] << 24) >> 24;
    for (const byte of bytes.subarray(1)) value = value * 256 + byte;
    if (!Number.isSafeInteger(value)) this.fail(node.offset, "an integer above 53 bits");
    return value;
  }

  /** Dotted decimal (X.690 §8.19). */
  objectIdentifier(node: DerNode): string {
    if (node.tag !== DerTag.objectIdentifier) this.fail(node.offset, "not an object identifier");
    return objectIdentifierText(this.content(node), () => this.fail(node.offset, "an arc above 53 bits"));
  }

  fail(offset: number, problem: string): never {
    throw new DecodeError(this.subject, offset, problem);
  }

  #read(offset: number, end: number, depth: number): DerNode {
    const { bytes } = this;
    if (depth > depthMaximum) this.fail(offset, `nested deeper than ${depthMaximum}`);
    if (++this.#nodes > nodeMaximum) this.fail(offset, `more than ${nodeMaximum} values`);
    if (offset + 2 > end) this.fail(Math.min(offset, bytes.length), "the value is cut off");
    const tag = bytes[offset];
    if ((tag & 0x1f) === 0x1f) this.fail(offset, "a tag of several bytes");
    const first = bytes[offset + 1];
    let contentStart = offset + 2;
    if (first === 0x80) {
      if ((tag & constructed) === 0) this.fail(offset + 1, "an indefinite length on a primitive value");
      return this.#readIndefinite(tag, offset, end, depth);
    }
    let length = first;
    if (first > 0x80) {
      const count = first & 0x7f;
      if (count > 6) this.fail(offset + 1, `a length of ${count} bytes`);
      if (contentStart + count > end) this.fail(end, "the length is cut off");
      length = 0;
      for (let index = 0; index < count; index++) length = length * 256 + bytes[contentStart + index];
      contentStart += count;
    }
    if (contentStart + length > end)
      this.fail(offset + 1, `length ${length}, but ${Math.max(0, end - contentStart)} bytes are left`);
    const contentEnd = contentStart + length;
    return { tag, offset, contentStart, contentEnd, end: contentEnd };
  }

  #readIndefinite(tag: number, offset: number, end: number, depth: number): DerNode {
    let at = offset + 2;
    for (;;) {
      if (at + 2 > end) this.fail(offset, "an indefinite length without an end");
      if (this.bytes[at] === 0 && this.bytes[at + 1] === 0)
        return { tag, offset, contentStart: offset + 2, contentEnd: at, end: at + 2 };
      at = this.#read(at, end, depth + 1).end;
    }
  }
}

/** Contents octets of an object identifier as dotted decimal (X.690 §8.19). `fail` is called for an arc above 53 bits. */
export function objectIdentifierText(bytes: Uint8Array, fail: () => never): string {
  const parts: number[] = [];
  let value = 0;
  for (const byte of bytes) {
    value = value * 128 + (byte & 0x7f);
    if (value > Number.MAX_SAFE_INTEGER / 128) fail();
    if ((byte & 0x80) !== 0) continue;
    const first = Math.min(2, Math.floor(value / 40));
    if (parts.length === 0) parts.push(first, value - 40 * first);
    else parts.push(value);
    value = 0;
  }
  return parts.join(".");
}

const hexByte = (value: number): string => value.toString(16).padStart(2, "0");

/** One value; `content` is its contents octets, or its parts in order. */
export function encodeDer(tag: number, content: Uint8Array | readonly Uint8Array[]): Uint8Array {
  const parts: readonly Uint8Array[] = content instanceof Uint8Array ? [content] : content;
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const header = [tag];
  if (length < 0x80) header.push(length);
  else {
    const digits: number[] = [];
    for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256);
    header.push(0x80 | digits.length, ...digits);
  }
  const bytes = new Uint8Array(header.length + length);
  bytes.set(header);
  let at = header.length;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** A whole number within 53 bits, in as few bytes as DER wants (X.690 §8.3.2). */
export function encodeDerInteger(value: number): Uint8Array {
  const digits: number[] = [];
  let rest = value;
  do {
    digits.unshift(((rest % 256) + 256) % 256);
    rest = Math.floor(rest / 256);
  } while (!((rest === 0 && digits[0] < 0x80) || (rest === -1 && digits[0] >= 0x80)));
  return encodeDer(DerTag.integer, Uint8Array.from(digits));
}

export function encodeDerText(text: string): Uint8Array {
  return encodeDer(DerTag.utf8String, encodeUtf8(text));
}

export function encodeDerObjectIdentifier(dotted: string): Uint8Array {
  const [first, second, ...others] = dotted.split(".").map(Number);
  const content: number[] = [];
  for (const arc of [first * 40 + second, ...others]) {
    const digits = [arc % 128];
    for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128))
      digits.unshift(0x80 | (rest % 128));
    content.push(...digits);
  }
  return encodeDer(DerTag.objectIdentifier, Uint8Array.from(content));
}
