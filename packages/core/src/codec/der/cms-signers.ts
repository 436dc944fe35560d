// Signers of a CMS SignedData as verification needs them: what, with which algorithm, by whom. RFC 5652 §5.3.

import { algorithmOf } from "./certificate.ts";
import { type DerNode, DerReader, DerTag } from "./der.ts";
import { DerDate } from "./der-entitlements.ts";

export interface CmsSigner {
  /** Issuer's name, whole, and serial of the signer's certificate; null when it is named by a key identifier. */
  readonly issuer: Uint8Array | null;
  readonly serial: Uint8Array | null;
  readonly digestAlgorithm: string;
  readonly signatureAlgorithm: string;
  readonly signature: Uint8Array;
  /** The attributes as they were signed: with the tag of a SET (RFC 5652 §5.4); null when there are none. */
  readonly signedAttributes: Uint8Array | null;
  readonly messageDigest: Uint8Array | null;
  readonly signingTime: string | null;
  /** Whether a timestamp stands among the unsigned attributes. */
  readonly hasTimestamp: boolean;
}

const messageDigest = "1.2.840.113549.1.9.4";
const signingTime = "1.2.840.113549.1.9.5";
const timestampToken = "1.2.840.113549.1.9.16.2.14";

/** Throws DecodeError. Data without signers (RFC 5652 §5.1 allows them) gives none. */
export function decodeCmsSigners(bytes: Uint8Array): CmsSigner[] {
  const reader = new DerReader(bytes, "CMS");
  const wrapped = reader.children(reader.read())[1];
  const signedData = wrapped === undefined ? undefined : reader.children(wrapped)[0];
  const last = signedData === undefined ? undefined : reader.children(signedData).at(-1);
  return last?.tag === DerTag.set ? reader.children(last).map((node) => readSigner(reader, node)) : [];
}

function readSigner(reader: DerReader, node: DerNode): CmsSigner {
  const parts = reader.children(node);
  const [, identifier, digest] = parts;
  const rest = parts.slice(3);
  const attributes = rest[0]?.tag === 0xa0 ? rest.shift() : undefined;
  const [algorithm, signature, unsigned] = rest;
  if (digest === undefined || algorithm === undefined || signature?.tag !== DerTag.octetString)
    reader.fail(node.offset, "a signer without algorithm or signature");
  const named = identifier?.tag === DerTag.sequence ? reader.children(identifier) : [];
  const values = attributes === undefined ? new Map() : readAttributes(reader, attributes);
  const time = values.get(signingTime);
  return {
    issuer: named.length === 2 ? reader.bytes.slice(named[0].offset, named[0].end) : null,
    serial: named.length === 2 ? reader.content(named[1]) : null,
    digestAlgorithm: algorithmOf(reader, digest),
    signatureAlgorithm: algorithmOf(reader, algorithm),
    signature: reader.octets(signature),
    signedAttributes: attributes === undefined ? null : asSet(reader, attributes),
    messageDigest: contentOf(reader, values.get(messageDigest)),
    signingTime: time === undefined ? null : new DerDate(reader.text(time)).iso,
    hasTimestamp: unsigned?.tag === 0xa1 && readAttributes(reader, unsigned).has(timestampToken),
  };
}

function contentOf(reader: DerReader, node: DerNode | undefined): Uint8Array | null {
  return node === undefined ? null : reader.content(node);
}

function asSet(reader: DerReader, node: DerNode): Uint8Array {
  const whole = reader.bytes.slice(node.offset, node.end);
  whole[0] = DerTag.set;
  return whole;
}

/** Object identifier -> the first value. */
function readAttributes(reader: DerReader, wrapper: DerNode): Map<string, DerNode> {
  const found = new Map<string, DerNode>();
  for (const attribute of reader.children(wrapper)) {
    const [type, values] = reader.children(attribute);
    const value = values === undefined ? undefined : reader.children(values)[0];
    if (type !== undefined && value !== undefined) found.set(reader.objectIdentifier(type), value);
  }
  return found;
}
