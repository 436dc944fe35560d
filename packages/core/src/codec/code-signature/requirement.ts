// Code requirements: the compiled form as the text that requirement tools print. Public format.

import { DecodeError } from "../../base/errors.ts";
import { decodeUtf8, hexBytes } from "../../base/text.ts";
import { objectIdentifierText } from "../der/der.ts";

/** Operators in the order of their numbers; the high byte of the word holds flags. */
const operators = [
  "false",
  "true",
  "ident",
  "appleAnchor",
  "anchorHash",
  "infoKeyValue",
  "and",
  "or",
  "cdHash",
  "not",
  "infoKeyField",
  "certField",
  "trustedCert",
  "trustedCerts",
  "certGeneric",
  "appleGenericAnchor",
  "entitlementField",
  "certPolicy",
  "namedAnchor",
  "namedCode",
  "platform",
  "notarized",
  "certFieldDate",
  "legacyDevID",
] as const;

/** Precedence: `or` inside `and` needs parentheses. */
const rank = { or: 1, and: 2, primary: 3 } as const;
const depthMaximum = 64;

/** A requirement blob (magic 0xfade0c00, kind 1). Throws DecodeError for what is none. */
export function decodeRequirement(bytes: Uint8Array): string {
  const kind = word(bytes, 8);
  if (kind !== 1) return `(requirement of kind ${kind})`;
  const cursor = { at: 12 };
  return expression(bytes, cursor, 0, rank.or);
}

interface Cursor {
  at: number;
}

function expression(bytes: Uint8Array, cursor: Cursor, depth: number, outer: number): string {
  if (depth > depthMaximum)
    throw new DecodeError("requirement", cursor.at, `nested deeper than ${depthMaximum}`);
  const at = cursor.at;
  const code = word(bytes, at) & 0x00ffffff;
  cursor.at += 4;
  const name = operators[code];
  switch (name) {
    case "false":
      return "never";
    case "true":
      return "always";
    case "ident":
      return `identifier ${quoted(text(bytes, cursor))}`;
    case "appleAnchor":
      return "anchor apple";
    case "appleGenericAnchor":
      return "anchor apple generic";
    case "notarized":
      return "notarized";
    case "legacyDevID":
      return "legacy";
    case "anchorHash":
      return `certificate ${slot(bytes, cursor)} = H"${hexBytes(data(bytes, cursor)).replace(/ /g, "")}"`;
    case "cdHash":
      return `cdhash H"${hexBytes(data(bytes, cursor)).replace(/ /g, "")}"`;
    case "infoKeyValue":
      return `info[${text(bytes, cursor)}] = ${quoted(text(bytes, cursor))}`;
    case "infoKeyField":
      return `info[${text(bytes, cursor)}]${match(bytes, cursor)}`;
    case "entitlementField":
      return `entitlement[${quoted(text(bytes, cursor))}]${match(bytes, cursor)}`;
    case "certField":
      return `certificate ${slot(bytes, cursor)}[${text(bytes, cursor)}]${match(bytes, cursor)}`;
    case "certGeneric":
    case "certPolicy":
    case "certFieldDate": {
      const place = slot(bytes, cursor);
      const kind = name === "certGeneric" ? "field" : name === "certPolicy" ? "policy" : "timestamp";
      return `certificate ${place}[${kind}.${objectIdentifier(data(bytes, cursor), at)}]${match(bytes, cursor)}`;
    }
    case "trustedCert":
      return `certificate ${slot(bytes, cursor)} trusted`;
    case "trustedCerts":
      return "anchor trusted";
    case "namedAnchor":
      return `anchor apple ${text(bytes, cursor)}`;
    case "namedCode":
      return `(${text(bytes, cursor)})`;
    case "platform":
      return `platform = ${take(bytes, cursor)}`;
    case "not":
      return `! ${expression(bytes, cursor, depth + 1, rank.primary)}`;
    case "and":
    case "or": {
      const left = expression(bytes, cursor, depth + 1, rank[name]);
      const both = `${left} ${name} ${expression(bytes, cursor, depth + 1, rank[name])}`;
      return rank[name] < outer ? `(${both})` : both;
    }
    default:
      throw new DecodeError("requirement", at, `operator ${code} is not known`);
  }
}

const comparisons: Readonly<Record<number, string>> = { 5: "<", 6: ">", 7: "<=", 8: ">=" };
const dateComparisons: Readonly<Record<number, string>> = { 9: "=", 10: "<", 11: ">", 12: "<=", 13: ">=" };

function match(bytes: Uint8Array, cursor: Cursor): string {
  const at = cursor.at;
  const code = take(bytes, cursor);
  if (code === 0) return " /* exists */";
  if (code === 14) return " absent";
  if (dateComparisons[code] !== undefined) {
    // Seconds from 2001-01-01, as a 64-bit whole number.
    cursor.at += 8;
    return ` ${dateComparisons[code]} timestamp`;
  }
  const value = text(bytes, cursor);
  switch (code) {
    case 1:
      return ` = ${quoted(value)}`;
    case 2:
      return ` = "*${value}*"`;
    case 3:
      return ` = "${value}*"`;
    case 4:
      return ` = "*${value}"`;
    default:
      if (comparisons[code] === undefined)
        throw new DecodeError("requirement", at, `match ${code} is not known`);
      return ` ${comparisons[code]} ${quoted(value)}`;
  }
}

/** Tools leave simple words bare and put everything else into quotes. */
function quoted(value: string): string {
  return /^[A-Za-z][A-Za-z0-9]*$/.test(value) ? value : `"${value}"`;
}

function slot(bytes: Uint8Array, cursor: Cursor): string {
  const number = take(bytes, cursor) | 0;
  return number === 0 ? "leaf" : number === -1 ? "root" : String(number);
}

function take(bytes: Uint8Array, cursor: Cursor): number {
  const value = word(bytes, cursor.at);
  cursor.at += 4;
  return value;
}

/** Length, bytes, padding to four. */
function data(bytes: Uint8Array, cursor: Cursor): Uint8Array {
  const at = cursor.at;
  const length = take(bytes, cursor);
  if (cursor.at + length > bytes.length)
    throw new DecodeError("requirement", at, `${length} bytes are not there`);
  const found = bytes.subarray(cursor.at, cursor.at + length);
  cursor.at += Math.ceil(length / 4) * 4;
  return found;
}

const text = (bytes: Uint8Array, cursor: Cursor): string => decodeUtf8(data(bytes, cursor));

function objectIdentifier(bytes: Uint8Array, at: number): string {
  return objectIdentifierText(bytes, () => {
    throw new DecodeError("requirement", at, "an object identifier with an arc above 53 bits");
  });
}

function word(bytes: Uint8Array, at: number): number {
  if (at + 4 > bytes.length) throw new DecodeError("requirement", bytes.length, "it is cut off");
  return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
}
