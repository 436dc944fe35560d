// Property values between the host and the dext: runtime/exchange.cpp writes and reads the same bytes.

import type { Properties, PropertyValue } from "@drydock/core/platform/properties";

const deepest = 32;

/** A number of a dext's: OSNumber's value. Above 2^53 the nearest one that a property can hold. */
export function decodeValue(bytes: Uint8Array): PropertyValue | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const size = (): number => {
    at += 4;
    return view.getUint32(at - 4, true);
  };
  const chunk = (): Uint8Array => {
    const length = size();
    at += length;
    return bytes.slice(at - length, at);
  };
  const read = (depth: number): PropertyValue | null => {
    if (depth > deepest) return null;
    const letter = String.fromCharCode(view.getUint8(at++));
    switch (letter) {
      case "s":
        return new TextDecoder().decode(chunk());
      case "x":
        return chunk();
      case "n": {
        at += 9;
        return Number(view.getBigUint64(at - 8, true));
      }
      case "t":
        return true;
      case "f":
        return false;
      case "a": {
        const values: PropertyValue[] = [];
        for (let left = size(); left > 0; left--) {
          const value = read(depth + 1);
          if (value !== null) values.push(value);
        }
        return values;
      }
      case "d": {
        const table: Record<string, PropertyValue> = {};
        for (let left = size(); left > 0; left--) {
          const key = read(depth + 1);
          const value = read(depth + 1);
          if (typeof key === "string" && value !== null) table[key] = value;
        }
        return table;
      }
      case "o":
        return new TextDecoder().decode(chunk());
      default:
        return null;
    }
  };
  return read(0);
}

export function encodeValue(value: PropertyValue): Uint8Array {
  const out: number[] = [];
  const size = (count: number): void => {
    out.push(count & 0xff, (count >> 8) & 0xff, (count >> 16) & 0xff, (count >>> 24) & 0xff);
  };
  const chunk = (letter: string, bytes: Uint8Array): void => {
    out.push(letter.charCodeAt(0));
    size(bytes.length);
    for (const byte of bytes) out.push(byte);
  };
  const write = (each: PropertyValue): void => {
    if (typeof each === "string") chunk("s", new TextEncoder().encode(each));
    else if (typeof each === "boolean") out.push((each ? "t" : "f").charCodeAt(0));
    else if (typeof each === "number") {
      const number = new DataView(new ArrayBuffer(8));
      number.setBigInt64(0, BigInt(Math.trunc(each)), true);
      out.push("n".charCodeAt(0), 64);
      for (let index = 0; index < 8; index++) out.push(number.getUint8(index));
    } else if (each instanceof Uint8Array) chunk("x", each);
    else if (Array.isArray(each)) {
      out.push("a".charCodeAt(0));
      size(each.length);
      for (const member of each as readonly PropertyValue[]) write(member);
    } else {
      const entries = Object.entries(each as Properties);
      out.push("d".charCodeAt(0));
      size(entries.length);
      for (const [key, member] of entries) {
        write(key);
        write(member);
      }
    }
  };
  write(value);
  return Uint8Array.from(out);
}
