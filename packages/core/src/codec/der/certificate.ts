// An X.509 certificate as verification needs it: what is signed, key, names, extensions. RFC 5280 §4.1.

import { type DerNode, DerReader, DerTag } from "./der.ts";
import { DerDate } from "./der-entitlements.ts";

export interface Certificate {
  /** TBSCertificate, whole: what the issuer signed. */
  readonly signed: Uint8Array;
  /** Object identifier of the signature's algorithm. */
  readonly algorithm: string;
  readonly signature: Uint8Array;
  /** SubjectPublicKeyInfo, whole. */
  readonly publicKey: Uint8Array;
  /** Names, whole, to be compared byte by byte. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly serial: Uint8Array;
  /** Object identifier of an attribute -> its values, in order. */
  readonly subjectFields: ReadonlyMap<string, readonly string[]>;
  /** ISO 8601. */
  readonly notBefore: string;
  readonly notAfter: string;
  /** Object identifier -> the extension's value. */
  readonly extensions: ReadonlyMap<string, Uint8Array>;
  /** basicConstraints says that it may sign certificates; a certificate without the extension may not. */
  readonly isAuthority: boolean;
}

const basicConstraints = "2.5.29.19";

/** Throws DecodeError for what is no certificate. */
export function decodeCertificate(der: Uint8Array): Certificate {
  const reader = new DerReader(der, "certificate");
  const root = reader.read();
  const [body, algorithm, signature] = reader.children(root);
  if (
    body?.tag !== DerTag.sequence ||
    algorithm?.tag !== DerTag.sequence ||
    signature?.tag !== DerTag.bitString
  )
    reader.fail(root.offset, "a body, an algorithm and a signature must follow");
  const fields = reader.children(body);
  if (fields[0]?.tag === 0xa0) fields.shift();
  const [serial, , issuer, validity, subject, publicKey] = fields;
  if (publicKey?.tag !== DerTag.sequence || validity?.tag !== DerTag.sequence)
    reader.fail(body.offset, "names, validity and a key must follow");
  const [from, to] = reader.children(validity);
  const wrapped = fields.find(({ tag }) => tag === 0xa3);
  const extensions = wrapped === undefined ? new Map() : readExtensions(reader, wrapped);
  const whole = (node: DerNode): Uint8Array => der.subarray(node.offset, node.end);
  return {
    signed: whole(body),
    algorithm: algorithmOf(reader, algorithm),
    // The first octet counts unused bits: none in any signature.
    signature: reader.content(signature).subarray(1),
    publicKey: whole(publicKey),
    issuer: whole(issuer),
    subject: whole(subject),
    serial: reader.content(serial),
    subjectFields: readFields(reader, subject),
    notBefore: from === undefined ? "" : new DerDate(reader.text(from)).iso,
    notAfter: to === undefined ? "" : new DerDate(reader.text(to)).iso,
    extensions,
    isAuthority: isAuthority(extensions.get(basicConstraints)),
  };
}

/** The object identifier of an AlgorithmIdentifier. */
export function algorithmOf(reader: DerReader, node: DerNode): string {
  const [type] = reader.children(node);
  return type === undefined ? "" : reader.objectIdentifier(type);
}

function readExtensions(reader: DerReader, wrapped: DerNode): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  const [list] = reader.children(wrapped);
  for (const node of list === undefined ? [] : reader.children(list)) {
    const parts = reader.children(node);
    const value = parts.at(-1);
    if (parts[0] === undefined || value?.tag !== DerTag.octetString) continue;
    found.set(reader.objectIdentifier(parts[0]), reader.content(value));
  }
  return found;
}

function isAuthority(value: Uint8Array | undefined): boolean {
  if (value === undefined) return false;
  const reader = new DerReader(value, "basicConstraints");
  const [first] = reader.children(reader.read());
  return first?.tag === DerTag.boolean && reader.content(first)[0] !== 0;
}

function readFields(reader: DerReader, name: DerNode): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const set of reader.children(name))
    for (const attribute of reader.children(set)) {
      const [type, value] = reader.children(attribute);
      if (type === undefined || value === undefined) continue;
      const key = reader.objectIdentifier(type);
      found.set(key, [...(found.get(key) ?? []), reader.text(value)]);
    }
  return found;
}
