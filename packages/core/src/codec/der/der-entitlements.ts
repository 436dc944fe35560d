// Entitlements and profiles as DER: the form that current systems trust (facts: posts.md §4.7).

import { encodeUtf8 } from "../../base/text.ts";
import { type DerNode, DerReader, DerTag, encodeDer, encodeDerInteger, encodeDerText } from "./der.ts";

/** A value with the type that its bytes have: "1356" and 1356 differ. Dates are a class of their own. */
export type DerValue =
  | string
  | number
  | boolean
  | Uint8Array
  | DerDate
  | readonly DerValue[]
  | { readonly [key: string]: DerValue };
export type DerDictionary = { readonly [key: string]: DerValue };

/** UTCTime or GeneralizedTime as written: "270101000000Z". */
export class DerDate {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** "2027-01-01T00:00:00Z"; the text itself when it is no date. A two-digit year is 1950 to 2049 (RFC 5280 §4.1.2.5.1). */
  get iso(): string {
    const match = /^(\d{2}|\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})?Z$/.exec(this.text);
    if (match === null) return this.text;
    const [, year, month, day, hour, minute, second = "00"] = match;
    const full = year.length === 4 ? year : Number(year) < 50 ? `20${year}` : `19${year}`;
    return `${full}-${month}-${day}T${hour}:${minute}:${second}Z`;
  }
}

/** [APPLICATION 16] and [CONTEXT 16], constructed. */
const entitlementsTag = 0x70;
const dictionaryTag = 0xb0;
const entitlementsVersion = 1;
const depthMaximum = 20;

/**
 * The payload of a code signature's DER entitlements blob, or the Entitlements value of a DER profile. What signed for
 * macOS 11 wrote a SET of pairs, without version, in which a dictionary is a SET too (seen in published apps of that year).
 */
export function decodeDerEntitlements(bytes: Uint8Array): DerDictionary {
  const reader = new DerReader(bytes, "DER entitlements");
  const root = reader.read();
  return root.tag === DerTag.set ? readOldPairs(reader, root, 0) : readEntitlements(reader, root);
}

function readOldPairs(reader: DerReader, node: DerNode, depth: number): DerDictionary {
  return readPairs(reader, reader.children(node), depth, readOldPairs);
}

/** The content of DER-Encoded-Profile's CMS: a SET of key and value. */
export function decodeDerProfile(bytes: Uint8Array): DerDictionary {
  const reader = new DerReader(bytes, "DER profile");
  const root = reader.read();
  if (root.tag !== DerTag.set) reader.fail(root.offset, "it is no SET");
  return readPairs(reader, reader.children(root), 0);
}

function readEntitlements(reader: DerReader, node: DerNode): DerDictionary {
  if (node.tag !== entitlementsTag) reader.fail(node.offset, "it does not begin with [APPLICATION 16]");
  const [version, dictionary] = reader.children(node);
  if (version?.tag !== DerTag.integer || dictionary?.tag !== dictionaryTag)
    reader.fail(node.contentStart, "a version and a dictionary must follow");
  if (reader.integer(version) !== entitlementsVersion)
    reader.fail(version.offset, `version ${reader.integer(version)} is not known`);
  return readPairs(reader, reader.children(dictionary), 0);
}

/** `setIs`: how a SET inside is read where it is a dictionary; left out: as a list. */
function readPairs(
  reader: DerReader,
  nodes: readonly DerNode[],
  depth: number,
  setIs?: typeof readOldPairs,
): DerDictionary {
  const pairs = new Map<string, DerValue>();
  for (const node of nodes) {
    if (node.tag !== DerTag.sequence) reader.fail(node.offset, "a pair must be a SEQUENCE");
    const [key, value] = reader.children(node);
    if (key?.tag !== DerTag.utf8String || value === undefined)
      reader.fail(node.contentStart, "a pair is a UTF8String and a value");
    pairs.set(reader.text(key), readValue(reader, value, depth + 1, setIs));
  }
  return Object.fromEntries(pairs);
}

function readValue(reader: DerReader, node: DerNode, depth: number, setIs?: typeof readOldPairs): DerValue {
  if (depth > depthMaximum) reader.fail(node.offset, `nested deeper than ${depthMaximum}`);
  switch (node.tag) {
    case DerTag.boolean:
      return reader.content(node)[0] !== 0;
    case DerTag.integer:
      return reader.integer(node);
    case DerTag.utf8String:
      return reader.text(node);
    case DerTag.numericString:
      // Profiles of 2022 write Version and TimeToLive so; later ones as INTEGER.
      return numberOfText(reader.text(node));
    case DerTag.octetString:
      return reader.content(node).slice();
    case DerTag.utcTime:
    case DerTag.generalizedTime:
      return new DerDate(reader.text(node));
    case DerTag.sequence:
    case DerTag.set:
      return node.tag === DerTag.set && setIs !== undefined
        ? setIs(reader, node, depth)
        : reader.children(node).map((child) => readValue(reader, child, depth + 1, setIs));
    case dictionaryTag:
      return readPairs(reader, reader.children(node), depth);
    case entitlementsTag:
      return readEntitlements(reader, node);
    default:
      return reader.fail(node.offset, `a value of tag 0x${node.tag.toString(16)}`);
  }
}

function numberOfText(text: string): DerValue {
  return /^\d{1,15}$/.test(text) ? Number(text) : text;
}

/** Keys sorted, as the system writes them. */
export function encodeDerEntitlements(entitlements: DerDictionary): Uint8Array {
  return encodeDer(entitlementsTag, [encodeDerInteger(entitlementsVersion), encodeDictionary(entitlements)]);
}

/** A profile's SET; `Entitlements` in it is written in its own form. */
export function encodeDerProfile(fields: DerDictionary): Uint8Array {
  const pairs = Object.keys(fields)
    .sort()
    .map((key) => {
      const value = fields[key];
      const encoded =
        key === "Entitlements" && isDerDictionary(value) ? encodeDerEntitlements(value) : encodeValue(value);
      return encodeDer(DerTag.sequence, [encodeDerText(key), encoded]);
    });
  return encodeDer(DerTag.set, pairs);
}

export function isDerDictionary(value: DerValue | undefined): value is DerDictionary {
  return (
    typeof value === "object" &&
    !(value instanceof Uint8Array) &&
    !(value instanceof DerDate) &&
    !Array.isArray(value)
  );
}

function encodeDictionary(dictionary: DerDictionary): Uint8Array {
  const pairs = Object.keys(dictionary)
    .sort()
    .map((key) => encodeDer(DerTag.sequence, [encodeDerText(key), encodeValue(dictionary[key])]));
  return encodeDer(dictionaryTag, pairs);
}

function encodeValue(value: DerValue): Uint8Array {
  if (typeof value === "string") return encodeDerText(value);
  if (typeof value === "number") return encodeDerInteger(value);
  if (typeof value === "boolean") return encodeDer(DerTag.boolean, Uint8Array.of(value ? 0xff : 0));
  if (value instanceof Uint8Array) return encodeDer(DerTag.octetString, value);
  if (value instanceof DerDate) return encodeDer(DerTag.utcTime, encodeUtf8(value.text));
  if (isDerDictionary(value)) return encodeDictionary(value);
  return encodeDer(DerTag.sequence, (value as readonly DerValue[]).map(encodeValue));
}
