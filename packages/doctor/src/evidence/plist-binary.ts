// Binary property lists ("bplist00"): values without their positions. Cycles, shared bombs and depth are bounded.

import { DecodeError } from "@drydock/core/base/errors";
import { decodeUtf8 } from "@drydock/core/base/text";
import { calendar } from "@drydock/core/platform/log-text";
import type { PropertyValue } from "@drydock/core/platform/properties";
import { dictionaryOf } from "./plist-xml.ts";

const subject = "binary property list";
const deepest = 64;
/** Values that one list may expand to: objects may be shared, so a small file can mean a huge list. */
const mostValues = 200_000;
const trailerBytes = 32;

/** Throws DecodeError with the offset of what is wrong. */
export function parseBinaryPlist(bytes: Uint8Array): PropertyValue {
  return new BinaryPlist(bytes).parse();
}

/** Seconds from 2001-01-01 to 2025-10-01 12:00, from which the calendar of logs counts. */
const calendarStart = 781_012_800;

/** Seconds since 2001-01-01 as "2027-01-01T00:00:00Z", as XML lists have their dates. */
function dateText(seconds: number): string {
  if (!(Math.abs(seconds) < 6e10)) return `date ${seconds}`;
  const text = calendar(Math.floor(seconds - calendarStart) * 1e9);
  return `${text.slice(0, 10)}T${text.slice(11, 19)}Z`;
}

export function isBinaryPlist(head: Uint8Array): boolean {
  return "bplist".split("").every((letter, index) => head[index] === letter.charCodeAt(0));
}

class BinaryPlist {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offsetBytes = 0;
  #referenceBytes = 0;
  #count = 0;
  #table = 0;
  #values = 0;
  readonly #open = new Set<number>();

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  parse(): PropertyValue {
    const { length } = this.#bytes;
    if (!isBinaryPlist(this.#bytes)) throw new DecodeError(subject, 0, "does not begin with bplist");
    if (length < 8 + trailerBytes) throw new DecodeError(subject, length, "is shorter than its trailer");
    const trailer = length - trailerBytes;
    this.#offsetBytes = this.#bytes[trailer + 6];
    this.#referenceBytes = this.#bytes[trailer + 7];
    this.#count = this.#unsigned(trailer + 8, 8);
    const top = this.#unsigned(trailer + 16, 8);
    this.#table = this.#unsigned(trailer + 24, 8);
    if (![1, 2, 3, 4, 8].includes(this.#offsetBytes) || ![1, 2, 3, 4, 8].includes(this.#referenceBytes))
      throw new DecodeError(subject, trailer + 6, "sizes of offsets and references are not 1, 2, 4 or 8");
    if (this.#count < 1 || this.#table < 8 || this.#table + this.#count * this.#offsetBytes > trailer)
      throw new DecodeError(subject, trailer + 8, "the offset table does not fit");
    return this.#object(top, 0);
  }

  #unsigned(at: number, size: number): number {
    let value = 0;
    for (let index = 0; index < size; index++) value = value * 256 + this.#bytes[at + index];
    return value;
  }

  #object(reference: number, depth: number): PropertyValue {
    if (reference >= this.#count)
      throw new DecodeError(subject, this.#table, `object ${reference} does not exist`);
    const at = this.#unsigned(this.#table + reference * this.#offsetBytes, this.#offsetBytes);
    if (at < 8 || at >= this.#table)
      throw new DecodeError(subject, at, "an object lies outside of the objects");
    if (++this.#values > mostValues)
      throw new DecodeError(subject, at, `expands to more than ${mostValues} values`);
    if (depth > deepest) throw new DecodeError(subject, at, `nested deeper than ${deepest}`);
    const kind = this.#bytes[at] >> 4;
    const low = this.#bytes[at] & 15;
    switch (kind) {
      case 0:
        if (low === 8) return false;
        if (low === 9) return true;
        if (low === 0 || low === 15) return "";
        break;
      case 1:
        return this.#integer(at, low);
      case 2:
        this.#need(at + 1, 1 << low);
        if (low === 2) return this.#view.getFloat32(at + 1);
        if (low === 3) return this.#view.getFloat64(at + 1);
        break;
      case 3:
        this.#need(at + 1, 8);
        return dateText(this.#view.getFloat64(at + 1));
      case 4:
      case 5:
      case 6: {
        const [length, start] = this.#length(at, low);
        const size = kind === 6 ? length * 2 : length;
        this.#need(start, size);
        const part = this.#bytes.slice(start, start + size);
        if (kind === 4) return part;
        if (kind === 5) return decodeUtf8(part);
        let text = "";
        for (let index = 0; index < size; index += 2)
          text += String.fromCharCode((part[index] << 8) | part[index + 1]);
        return text;
      }
      case 8:
        this.#need(at + 1, low + 1);
        return this.#unsigned(at + 1, low + 1);
      case 10:
      case 12:
      case 13:
        return this.#collection(reference, at, kind, low, depth);
    }
    throw new DecodeError(subject, at, `unknown object 0x${this.#bytes[at].toString(16)}`);
  }

  #integer(at: number, low: number): number {
    const size = 1 << low;
    if (size > 16) throw new DecodeError(subject, at, "an integer of more than 16 bytes");
    this.#need(at + 1, size);
    if (size < 8) return this.#unsigned(at + 1, size);
    return Number(this.#view.getBigInt64(at + 1 + size - 8));
  }

  #need(at: number, size: number): void {
    if (at + size > this.#table)
      throw new DecodeError(subject, at, `${size} bytes do not fit before the offset table`);
  }

  /** Count of an object with a length, and where its content begins. */
  #length(at: number, low: number): [number, number] {
    if (low !== 15) return [low, at + 1];
    this.#need(at + 1, 2);
    const size = 1 << (this.#bytes[at + 1] & 15);
    if (this.#bytes[at + 1] >> 4 !== 1 || size > 8)
      throw new DecodeError(subject, at + 1, "a length is no integer");
    this.#need(at + 2, size);
    return [this.#unsigned(at + 2, size), at + 2 + size];
  }

  #collection(reference: number, at: number, kind: number, low: number, depth: number): PropertyValue {
    if (this.#open.has(reference)) throw new DecodeError(subject, at, "a collection contains itself");
    const [length, start] = this.#length(at, low);
    const size = this.#referenceBytes;
    this.#need(start, length * size * (kind === 13 ? 2 : 1));
    this.#open.add(reference);
    const item = (index: number) => this.#object(this.#unsigned(start + index * size, size), depth + 1);
    let value: PropertyValue;
    if (kind === 13) {
      const entries: [string, PropertyValue][] = [];
      for (let index = 0; index < length; index++) {
        const key = item(index);
        entries.push([typeof key === "string" ? key : String(key), item(length + index)]);
      }
      value = dictionaryOf(entries);
    } else {
      const items: PropertyValue[] = [];
      for (let index = 0; index < length; index++) items.push(item(index));
      value = items;
    }
    this.#open.delete(reference);
    return value;
  }
}
