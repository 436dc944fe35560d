// Writes the signature of an ad-hoc signed binary, so that rigs can show what a signed driver carries.

import { encodeUtf8 } from "../../base/text.ts";
import { SignatureMagic, SignatureSlot } from "./code-signature.ts";

export interface SignaturePlan {
  readonly identifier: string;
  readonly teamIdentifier: string | null;
  /** XML plist; null leaves the blob out. */
  readonly entitlementsXml: Uint8Array | null;
  /** As encodeDerEntitlements makes it. */
  readonly entitlementsDer: Uint8Array | null;
  /** Files beside the code that it answers for, whole: the bundle's Info.plist and its seal. */
  readonly infoPlist?: Uint8Array;
  readonly resources?: Uint8Array;
  /** Expression of the designated requirement, compiled; left out: there is none. */
  readonly designated?: Uint8Array;
  /** Bytes that the signature covers: everything before it. */
  readonly code: Uint8Array;
  readonly flags: number;
  /**
   * Signs the CodeDirectory (detached CMS), at most `reservedBytes` long: load commands are written before. Left out: the
   * signature is ad hoc.
   */
  readonly cms?: {
    readonly reservedBytes: number;
    readonly sign: (codeDirectory: Uint8Array) => Uint8Array;
  };
  /** SHA-256. Core has no hash of its own: whoever signs brings one. */
  readonly sha256: (bytes: Uint8Array) => Uint8Array;
}

const pageShift = 12;
const hashBytes = 32;
const hashSha256 = 2;
const version = 0x20200;
const headerBytes = 52;
/** Special slots 1 to 7: up to the DER entitlements. */
const specialSlots = 7;

/** How long `encodeCodeSignature` of the same plan can be, whatever the code's contents: load commands come first. */
export function codeSignatureBytes(plan: Omit<SignaturePlan, "code" | "sha256">, codeBytes: number): number {
  const pages = Math.ceil(codeBytes / 2 ** pageShift);
  return (
    encodeCodeSignature({
      ...plan,
      code: new Uint8Array(0),
      sha256: () => new Uint8Array(hashBytes),
      ...(plan.cms && { cms: { ...plan.cms, sign: () => new Uint8Array(plan.cms?.reservedBytes ?? 0) } }),
    }).length +
    pages * hashBytes
  );
}

/** A SuperBlob: CodeDirectory (version 2.2, SHA-256), entitlements in both forms, the CMS where there is a signer. */
export function encodeCodeSignature(plan: SignaturePlan): Uint8Array {
  const blobs: [number, Uint8Array][] = [];
  const special = new Map<number, Uint8Array>();
  const add = (slot: number, magic: number, payload: Uint8Array | null): void => {
    if (payload === null) return;
    const bytes = blob(magic, payload);
    blobs.push([slot, bytes]);
    special.set(slot, plan.sha256(bytes));
  };
  if (plan.infoPlist !== undefined) special.set(SignatureSlot.infoPlist, plan.sha256(plan.infoPlist));
  if (plan.resources !== undefined) special.set(SignatureSlot.resources, plan.sha256(plan.resources));
  if (plan.designated !== undefined)
    add(SignatureSlot.requirements, SignatureMagic.requirements, requirementSet(plan.designated));
  add(SignatureSlot.entitlements, SignatureMagic.entitlements, plan.entitlementsXml);
  add(SignatureSlot.derEntitlements, SignatureMagic.derEntitlements, plan.entitlementsDer);
  const directory = codeDirectory(plan, special);
  blobs.unshift([SignatureSlot.codeDirectory, directory]);
  if (plan.cms !== undefined) {
    const signed = plan.cms.sign(directory);
    if (signed.length > plan.cms.reservedBytes)
      throw new RangeError(`the CMS has ${signed.length} bytes; reserve as many`);
    blobs.push([SignatureSlot.signature, blob(SignatureMagic.wrapper, signed)]);
  }
  const indexBytes = 12 + blobs.length * 8;
  const total = blobs.reduce((sum, [, bytes]) => sum + bytes.length, indexBytes);
  const out = new Uint8Array(total);
  const view = new DataView(out.buffer);
  view.setUint32(0, SignatureMagic.superBlob);
  view.setUint32(4, total);
  view.setUint32(8, blobs.length);
  let at = indexBytes;
  blobs.forEach(([slot, bytes], index) => {
    view.setUint32(12 + index * 8, slot);
    view.setUint32(16 + index * 8, at);
    out.set(bytes, at);
    at += bytes.length;
  });
  return out;
}

function codeDirectory(plan: SignaturePlan, special: ReadonlyMap<number, Uint8Array>): Uint8Array {
  const identifier = encodeUtf8(`${plan.identifier}\0`);
  const team = plan.teamIdentifier === null ? new Uint8Array(0) : encodeUtf8(`${plan.teamIdentifier}\0`);
  const pageBytes = 2 ** pageShift;
  const pages = Math.ceil(plan.code.length / pageBytes);
  const identifierAt = headerBytes;
  const teamAt = identifierAt + identifier.length;
  const hashesAt = teamAt + team.length + specialSlots * hashBytes;
  const bytes = new Uint8Array(hashesAt + pages * hashBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, SignatureMagic.codeDirectory);
  view.setUint32(4, bytes.length);
  view.setUint32(8, version);
  view.setUint32(12, plan.flags);
  view.setUint32(16, hashesAt);
  view.setUint32(20, identifierAt);
  view.setUint32(24, specialSlots);
  view.setUint32(28, pages);
  view.setUint32(32, plan.code.length);
  bytes[36] = hashBytes;
  bytes[37] = hashSha256;
  bytes[39] = pageShift;
  view.setUint32(48, team.length === 0 ? 0 : teamAt);
  bytes.set(identifier, identifierAt);
  bytes.set(team, teamAt);
  for (const [slot, hash] of special) bytes.set(hash, hashesAt - slot * hashBytes);
  for (let page = 0; page < pages; page++) {
    bytes.set(
      plan.sha256(plan.code.subarray(page * pageBytes, (page + 1) * pageBytes)),
      hashesAt + page * hashBytes,
    );
  }
  return bytes;
}

/** A set with one requirement, of type 3 (designated) and kind 1 (an expression). */
function requirementSet(expression: Uint8Array): Uint8Array {
  const headBytes = 12;
  const bytes = new Uint8Array(headBytes + 12 + expression.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 1);
  view.setUint32(4, 3);
  // Counted from the set's own magic.
  view.setUint32(8, 8 + headBytes);
  view.setUint32(headBytes, SignatureMagic.requirement);
  view.setUint32(headBytes + 4, 12 + expression.length);
  view.setUint32(headBytes + 8, 1);
  bytes.set(expression, headBytes + 12);
  return bytes;
}

function blob(magic: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(8 + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, magic);
  view.setUint32(4, bytes.length);
  bytes.set(payload, 8);
  return bytes;
}
