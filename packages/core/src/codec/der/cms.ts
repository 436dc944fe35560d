// CMS SignedData as profiles and code signatures wrap their content: what is inside, who signed. RFC 5652.

import {
  type DerNode,
  DerReader,
  DerTag,
  encodeDer,
  encodeDerInteger,
  encodeDerObjectIdentifier,
} from "./der.ts";
import { DerDate } from "./der-entitlements.ts";

const signedDataType = "1.2.840.113549.1.7.2";
const dataType = "1.2.840.113549.1.7.1";
const commonName = "2.5.4.3";
const organizationalUnit = "2.5.4.11";
const organization = "2.5.4.10";
/** PKCS #9 signingTime. */
const signingTime = "1.2.840.113549.1.9.5";
const certificateMaximum = 64;

/** What a certificate says of its holder. The signature on it is not verified (fidelity: absent). */
export interface CmsCertificate {
  readonly der: Uint8Array;
  readonly commonName: string;
  /** For Apple's developer certificates: the team identifier. */
  readonly organizationalUnit: string;
  readonly organization: string;
  readonly issuerCommonName: string;
  readonly serialHex: string;
  readonly notBefore: string;
  readonly notAfter: string;
}

export interface SignedData {
  /** Null when detached, as in code signatures. */
  readonly content: Uint8Array | null;
  readonly certificates: readonly CmsCertificate[];
  /** Issuer's common name and serial of each signer, with the time it claims. */
  readonly signers: readonly {
    readonly issuerCommonName: string;
    readonly serialHex: string;
    readonly signingTime: string | null;
  }[];
}

/** Whether bytes could be a CMS SignedData: a SEQUENCE that starts with its object identifier. */
export function looksLikeSignedData(bytes: Uint8Array): boolean {
  if (bytes[0] !== DerTag.sequence) return false;
  const header = (bytes[1] & 0x80) === 0 ? 2 : 2 + (bytes[1] === 0x80 ? 0 : bytes[1] & 0x7f);
  const wanted = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
  return wanted.every((byte, index) => bytes[header + index] === byte);
}

/** Reads DER or BER. Throws DecodeError. Trailing bytes are ignored, as readers of profiles do. */
export function decodeSignedData(bytes: Uint8Array): SignedData {
  const reader = new DerReader(bytes, "CMS");
  const root = reader.read();
  if (root.tag !== DerTag.sequence) reader.fail(0, "it is no SEQUENCE");
  const [type, wrapped] = reader.children(root);
  if (type === undefined || reader.objectIdentifier(type) !== signedDataType)
    reader.fail(root.contentStart, "it is no SignedData");
  if (wrapped?.tag !== 0xa0) reader.fail(root.contentStart, "no content follows the type");
  const signedData = reader.children(wrapped)[0];
  if (signedData?.tag !== DerTag.sequence) reader.fail(wrapped.offset, "SignedData is no SEQUENCE");
  const parts = reader.children(signedData);
  const encapsulated = parts[2];
  if (encapsulated?.tag !== DerTag.sequence) reader.fail(signedData.offset, "no encapsulated content");
  const content = reader.children(encapsulated)[1];
  const certificates = parts.find((part) => part.tag === 0xa0);
  const last = parts.at(-1);
  return {
    content: content?.tag === 0xa0 ? contentOf(reader, content) : null,
    certificates:
      certificates === undefined
        ? []
        : reader
            .children(certificates)
            .filter((node) => node.tag === DerTag.sequence)
            .slice(0, certificateMaximum)
            .map((node) => readCertificate(reader, node)),
    signers:
      last?.tag === DerTag.set ? reader.children(last).flatMap((node) => readSigner(reader, node)) : [],
  };
}

/** The same envelope without any signer (RFC 5652 §5.1 allows none): for evidence that a rig writes. */
export function encodeUnsignedData(content: Uint8Array): Uint8Array {
  const encapsulated = encodeDer(DerTag.sequence, [
    encodeDerObjectIdentifier(dataType),
    encodeDer(0xa0, [encodeDer(DerTag.octetString, content)]),
  ]);
  const signedData = encodeDer(DerTag.sequence, [
    encodeDerInteger(1),
    encodeDer(DerTag.set, []),
    encapsulated,
    encodeDer(DerTag.set, []),
  ]);
  return encodeDer(DerTag.sequence, [
    encodeDerObjectIdentifier(signedDataType),
    encodeDer(0xa0, [signedData]),
  ]);
}

function contentOf(reader: DerReader, wrapper: DerNode): Uint8Array | null {
  const inner = reader.children(wrapper)[0];
  return inner === undefined ? null : reader.octets(inner);
}

/** RFC 5280 §4.1. */
function readCertificate(reader: DerReader, node: DerNode): CmsCertificate {
  const body = reader.children(node)[0];
  if (body?.tag !== DerTag.sequence) reader.fail(node.offset, "a certificate without its body");
  const fields = reader.children(body);
  if (fields[0]?.tag === 0xa0) fields.shift();
  const [serial, , issuer, validity, subject] = fields;
  if (
    subject?.tag !== DerTag.sequence ||
    validity?.tag !== DerTag.sequence ||
    issuer?.tag !== DerTag.sequence
  )
    reader.fail(body.offset, "a certificate without issuer, validity or subject");
  const [from, to] = reader.children(validity);
  const name = readName(reader, subject);
  return {
    der: reader.bytes.slice(node.offset, node.end),
    commonName: name.get(commonName) ?? "",
    organizationalUnit: name.get(organizationalUnit) ?? "",
    organization: name.get(organization) ?? "",
    issuerCommonName: readName(reader, issuer).get(commonName) ?? "",
    serialHex: hexOf(reader.content(serial)),
    notBefore: from === undefined ? "" : new DerDate(reader.text(from)).iso,
    notAfter: to === undefined ? "" : new DerDate(reader.text(to)).iso,
  };
}

/** RFC 5280 §4.1.2.4: the first value of each attribute. */
function readName(reader: DerReader, node: DerNode): Map<string, string> {
  const found = new Map<string, string>();
  for (const set of reader.children(node)) {
    for (const attribute of reader.children(set)) {
      const [type, value] = reader.children(attribute);
      if (type === undefined || value === undefined) continue;
      const key = reader.objectIdentifier(type);
      if (!found.has(key)) found.set(key, reader.text(value));
    }
  }
  return found;
}

/** RFC 5652 §5.3, signers named by issuer and serial. */
function readSigner(reader: DerReader, node: DerNode): SignedData["signers"][number][] {
  const parts = reader.children(node);
  const identifier = parts[1];
  if (identifier?.tag !== DerTag.sequence) return [];
  const [issuer, serial] = reader.children(identifier);
  if (issuer?.tag !== DerTag.sequence || serial?.tag !== DerTag.integer) return [];
  let time: string | null = null;
  const signed = parts.find((part) => part.tag === 0xa0);
  for (const attribute of signed === undefined ? [] : reader.children(signed)) {
    const [type, values] = reader.children(attribute);
    if (type === undefined || values === undefined || reader.objectIdentifier(type) !== signingTime) continue;
    const value = reader.children(values)[0];
    if (value !== undefined) time = new DerDate(reader.text(value)).iso;
  }
  return [
    {
      issuerCommonName: readName(reader, issuer).get(commonName) ?? "",
      serialHex: hexOf(reader.content(serial)),
      signingTime: time,
    },
  ];
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
