// The text of login and text PDUs: key=value pairs ended by zeros, and how values are negotiated. RFC 7143 §6, §13.

import { DecodeError } from "../../base/errors.ts";
import { decodeUtf8, encodeUtf8 } from "../../base/text.ts";

/** Longest value (§6.1), except of keys that carry binary values. */
const valueMaximum = 8192;
const pairMaximum = 256;

export type TextPairs = readonly (readonly [string, string])[];

export function encodeTextPairs(pairs: TextPairs): Uint8Array {
  return encodeUtf8(pairs.map(([key, value]) => `${key}=${value}\0`).join(""));
}

/** In order of appearance. Throws on a pair without "=", an empty key, or absurd lengths. */
export function decodeTextPairs(bytes: Uint8Array): [string, string][] {
  const pairs: [string, string][] = [];
  let at = 0;
  while (at < bytes.length) {
    let end = bytes.indexOf(0, at);
    if (end < 0) end = bytes.length;
    if (end > at) {
      const equals = bytes.indexOf(0x3d, at);
      if (equals <= at || equals > end) throw new DecodeError("iSCSI text", at, "a pair has no key or no =");
      if (end - equals > valueMaximum || equals - at > 63)
        throw new DecodeError("iSCSI text", at, "a key or value is too long");
      if (pairs.length >= pairMaximum)
        throw new DecodeError("iSCSI text", at, `more than ${pairMaximum} pairs`);
      pairs.push([decodeUtf8(bytes.subarray(at, equals)), decodeUtf8(bytes.subarray(equals + 1, end))]);
    }
    at = end + 1;
  }
  return pairs;
}

/** A number in decimal or 0x form, or null. */
export function parseIscsiNumber(text: string): number | null {
  if (!/^(0[xX][0-9a-fA-F]{1,13}|\d{1,15})$/.test(text)) return null;
  return Number(text);
}

/** Binary values: 0x and hexadecimal digits, or 0b and base 64. Null: neither. */
export function parseIscsiBinary(text: string): Uint8Array | null {
  if (/^0[xX]([0-9a-fA-F]{2})+$/.test(text)) {
    const bytes = new Uint8Array((text.length - 2) / 2);
    for (let index = 0; index < bytes.length; index++)
      bytes[index] = Number.parseInt(text.slice(2 + 2 * index, 4 + 2 * index), 16);
    return bytes;
  }
  if (!/^0[bB][A-Za-z0-9+/]+={0,2}$/.test(text)) return null;
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const digits = text.slice(2).replace(/=+$/, "");
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  for (const digit of digits) {
    held = ((held << 6) | alphabet.indexOf(digit)) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((held >> bits) & 0xff);
  }
  return Uint8Array.from(bytes);
}

export function formatIscsiBinary(bytes: Uint8Array): string {
  let text = "0x";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

/** How a key's result follows from what both sides say (§13). */
type Rule = NumberRule | BooleanRule | ListRule;

interface NumberRule {
  readonly kind: "minimum" | "maximum";
  readonly low: number;
  readonly high: number;
  readonly ours: number;
}

interface BooleanRule {
  readonly kind: "or" | "and";
  readonly ours: boolean;
}

interface ListRule {
  readonly kind: "list";
  readonly ours: readonly string[];
}

export const maximumRecvDataSegment = 262144;

/** What this target offers for each negotiated key. */
export const negotiationRules: Readonly<Record<string, Rule>> = {
  HeaderDigest: { kind: "list", ours: ["None", "CRC32C"] },
  DataDigest: { kind: "list", ours: ["None", "CRC32C"] },
  MaxConnections: { kind: "minimum", low: 1, high: 65535, ours: 1 },
  InitialR2T: { kind: "or", ours: false },
  ImmediateData: { kind: "and", ours: true },
  MaxBurstLength: { kind: "minimum", low: 512, high: 0xffffff, ours: 0x100000 },
  FirstBurstLength: { kind: "minimum", low: 512, high: 0xffffff, ours: 262144 },
  DefaultTime2Wait: { kind: "maximum", low: 0, high: 3600, ours: 2 },
  DefaultTime2Retain: { kind: "minimum", low: 0, high: 3600, ours: 0 },
  MaxOutstandingR2T: { kind: "minimum", low: 1, high: 65535, ours: 1 },
  DataPDUInOrder: { kind: "or", ours: true },
  DataSequenceInOrder: { kind: "or", ours: true },
  ErrorRecoveryLevel: { kind: "minimum", low: 0, high: 2, ours: 0 },
  IFMarker: { kind: "and", ours: false },
  OFMarker: { kind: "and", ours: false },
};

/** The answer to an offer: a value, or "Reject". The initiator's order of preference decides in lists. */
export function negotiate(rule: Rule, offer: string): string {
  switch (rule.kind) {
    case "list":
      return offer.split(",").find((value) => rule.ours.includes(value)) ?? "Reject";
    case "or":
    case "and": {
      if (offer !== "Yes" && offer !== "No") return "Reject";
      const theirs = offer === "Yes";
      return (rule.kind === "or" ? theirs || rule.ours : theirs && rule.ours) ? "Yes" : "No";
    }
    default: {
      const value = parseIscsiNumber(offer);
      if (value === null || value < rule.low || value > rule.high) return "Reject";
      return String(rule.kind === "minimum" ? Math.min(value, rule.ours) : Math.max(value, rule.ours));
    }
  }
}

/** An iSCSI name: iqn., eui. or naa. form in its usual characters, at most 223 bytes (§4.2.7). */
export function isIscsiName(name: string): boolean {
  return (
    name.length <= 223 &&
    /^(iqn\.\d{4}-\d{2}\.[^\s,;/]+|eui\.[0-9A-Fa-f]{16}|naa\.[0-9A-Fa-f]{16,32})$/.test(name)
  );
}
