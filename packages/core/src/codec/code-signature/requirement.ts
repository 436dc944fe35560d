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
/** Expressions in one requirement, so that a flood of short ones costs bounded time. */
const partMaximum = 10_000;

/** How a value is compared; `value` is a text, or seconds from 2001-01-01 for the comparisons of dates. */
export interface RequirementMatch {
  readonly how:
    | "exists"
    | "equal"
    | "contains"
    | "begins"
    | "ends"
    | "<"
    | ">"
    | "<="
    | ">="
    | "date"
    | "absent";
  readonly value: string;
}

/** A certificate of the chain: 0 the leaf, 1 its issuer, -1 the root. */
export type Requirement =
  | { readonly kind: "never" | "always" | "anchor apple" | "anchor apple generic" }
  | { readonly kind: "anchor trusted" | "notarized" | "legacy" }
  | { readonly kind: "identifier" | "anchor name" | "code name"; readonly value: string }
  | { readonly kind: "cdhash"; readonly hash: Uint8Array }
  | { readonly kind: "platform"; readonly value: number }
  | { readonly kind: "certificate hash"; readonly certificate: number; readonly hash: Uint8Array }
  | { readonly kind: "certificate trusted"; readonly certificate: number }
  | { readonly kind: "info" | "entitlement"; readonly key: string; readonly match: RequirementMatch }
  | {
      readonly kind:
        | "certificate subject"
        | "certificate field"
        | "certificate policy"
        | "certificate timestamp";
      readonly certificate: number;
      /** `subject.OU`, or an object identifier. */
      readonly key: string;
      readonly match: RequirementMatch;
    }
  | { readonly kind: "not"; readonly inner: Requirement }
  | { readonly kind: "and" | "or"; readonly left: Requirement; readonly right: Requirement };

/** A requirement blob (magic 0xfade0c00) as text. Throws DecodeError for what is none. */
export function decodeRequirement(bytes: Uint8Array): string {
  const kind = word(bytes, 8);
  if (kind !== 1) return `(requirement of kind ${kind})`;
  return requirementText(parseRequirement(bytes));
}

/** A requirement blob of kind 1. Throws DecodeError. */
export function parseRequirement(bytes: Uint8Array): Requirement {
  if (word(bytes, 8) !== 1) throw new DecodeError("requirement", 8, `kind ${word(bytes, 8)} is not known`);
  return expression(bytes, { at: 12, parts: 0 }, 0);
}

interface Cursor {
  at: number;
  parts: number;
}

function expression(bytes: Uint8Array, cursor: Cursor, depth: number): Requirement {
  if (depth > depthMaximum)
    throw new DecodeError("requirement", cursor.at, `nested deeper than ${depthMaximum}`);
  if (++cursor.parts > partMaximum)
    throw new DecodeError("requirement", cursor.at, `more than ${partMaximum} expressions`);
  const at = cursor.at;
  const code = word(bytes, at) & 0x00ffffff;
  cursor.at += 4;
  const name = operators[code];
  switch (name) {
    case "false":
      return { kind: "never" };
    case "true":
      return { kind: "always" };
    case "ident":
      return { kind: "identifier", value: text(bytes, cursor) };
    case "appleAnchor":
      return { kind: "anchor apple" };
    case "appleGenericAnchor":
      return { kind: "anchor apple generic" };
    case "notarized":
      return { kind: "notarized" };
    case "legacyDevID":
      return { kind: "legacy" };
    case "anchorHash":
      return { kind: "certificate hash", certificate: take(bytes, cursor) | 0, hash: data(bytes, cursor) };
    case "cdHash":
      return { kind: "cdhash", hash: data(bytes, cursor) };
    case "infoKeyValue":
      return {
        kind: "info",
        key: text(bytes, cursor),
        match: { how: "equal", value: text(bytes, cursor) },
      };
    case "infoKeyField":
      return { kind: "info", key: text(bytes, cursor), match: match(bytes, cursor) };
    case "entitlementField":
      return { kind: "entitlement", key: text(bytes, cursor), match: match(bytes, cursor) };
    case "certField":
      return {
        kind: "certificate subject",
        certificate: take(bytes, cursor) | 0,
        key: text(bytes, cursor),
        match: match(bytes, cursor),
      };
    case "certGeneric":
    case "certPolicy":
    case "certFieldDate":
      return {
        kind:
          name === "certGeneric"
            ? "certificate field"
            : name === "certPolicy"
              ? "certificate policy"
              : "certificate timestamp",
        certificate: take(bytes, cursor) | 0,
        key: objectIdentifier(data(bytes, cursor), at),
        match: match(bytes, cursor),
      };
    case "trustedCert":
      return { kind: "certificate trusted", certificate: take(bytes, cursor) | 0 };
    case "trustedCerts":
      return { kind: "anchor trusted" };
    case "namedAnchor":
      return { kind: "anchor name", value: text(bytes, cursor) };
    case "namedCode":
      return { kind: "code name", value: text(bytes, cursor) };
    case "platform":
      return { kind: "platform", value: take(bytes, cursor) };
    case "not":
      return { kind: "not", inner: expression(bytes, cursor, depth + 1) };
    case "and":
    case "or": {
      const left = expression(bytes, cursor, depth + 1);
      return { kind: name, left, right: expression(bytes, cursor, depth + 1) };
    }
    default:
      throw new DecodeError("requirement", at, `operator ${code} is not known`);
  }
}

/** As requirement tools print it. */
export function requirementText(one: Requirement, outer: number = rank.or): string {
  switch (one.kind) {
    case "identifier":
      return `identifier ${quoted(one.value)}`;
    case "anchor name":
      return `anchor apple ${one.value}`;
    case "code name":
      return `(${one.value})`;
    case "cdhash":
      return `cdhash ${hashText(one.hash)}`;
    case "platform":
      return `platform = ${one.value}`;
    case "certificate hash":
      return `certificate ${slotText(one.certificate)} = ${hashText(one.hash)}`;
    case "certificate trusted":
      return `certificate ${slotText(one.certificate)} trusted`;
    case "info":
      return `info[${one.key}]${matchText(one.match)}`;
    case "entitlement":
      return `entitlement[${quoted(one.key)}]${matchText(one.match)}`;
    case "certificate subject":
      return `certificate ${slotText(one.certificate)}[${one.key}]${matchText(one.match)}`;
    case "certificate field":
    case "certificate policy":
    case "certificate timestamp":
      return `certificate ${slotText(one.certificate)}[${one.kind.slice("certificate ".length)}.${one.key}]${matchText(one.match)}`;
    case "not":
      return `! ${requirementText(one.inner, rank.primary)}`;
    case "and":
    case "or": {
      const both = `${requirementText(one.left, rank[one.kind])} ${one.kind} ${requirementText(one.right, rank[one.kind])}`;
      return rank[one.kind] < outer ? `(${both})` : both;
    }
    default:
      return one.kind;
  }
}

const comparisons: Readonly<Record<number, "<" | ">" | "<=" | ">=">> = { 5: "<", 6: ">", 7: "<=", 8: ">=" };
const dateComparisons: Readonly<Record<number, string>> = { 9: "=", 10: "<", 11: ">", 12: "<=", 13: ">=" };
const texts = { 1: "equal", 2: "contains", 3: "begins", 4: "ends" } as const;

function match(bytes: Uint8Array, cursor: Cursor): RequirementMatch {
  const at = cursor.at;
  const code = take(bytes, cursor);
  if (code === 0) return { how: "exists", value: "" };
  if (code === 14) return { how: "absent", value: "" };
  if (dateComparisons[code] !== undefined) {
    // Seconds from 2001-01-01, as a 64-bit whole number.
    cursor.at += 8;
    return { how: "date", value: dateComparisons[code] };
  }
  const how = texts[code as keyof typeof texts] ?? comparisons[code];
  if (how === undefined) throw new DecodeError("requirement", at, `match ${code} is not known`);
  return { how, value: text(bytes, cursor) };
}

function matchText({ how, value }: RequirementMatch): string {
  switch (how) {
    case "exists":
      return " /* exists */";
    case "absent":
      return " absent";
    case "date":
      return ` ${value} timestamp`;
    case "equal":
      return ` = ${quoted(value)}`;
    case "contains":
      return ` = "*${value}*"`;
    case "begins":
      return ` = "${value}*"`;
    case "ends":
      return ` = "*${value}"`;
    default:
      return ` ${how} ${quoted(value)}`;
  }
}

/** Tools leave simple words bare and put everything else into quotes. */
function quoted(value: string): string {
  return /^[A-Za-z][A-Za-z0-9]*$/.test(value) ? value : `"${value}"`;
}

const hashText = (bytes: Uint8Array): string => `H"${hexBytes(bytes).replace(/ /g, "")}"`;

function slotText(number: number): string {
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
