// Apple code signatures: SuperBlob, CodeDirectory, entitlements, requirements, CMS. Public format, posts.md §4.7.

import { DecodeError } from "../../base/errors.ts";
import { decodeUtf8 } from "../../base/text.ts";
import { decodeRequirement } from "./requirement.ts";

/** First word of each blob, big-endian as everything here. */
export const SignatureMagic = {
  requirement: 0xfade0c00,
  requirements: 0xfade0c01,
  codeDirectory: 0xfade0c02,
  superBlob: 0xfade0cc0,
  detached: 0xfade0cc1,
  wrapper: 0xfade0b01,
  entitlements: 0xfade7171,
  derEntitlements: 0xfade7172,
  launchConstraint: 0xfade8181,
} as const;

/** Slots of the index; hashes of 1 to 7 stand before the code hashes, as "special slots". */
export const SignatureSlot = {
  codeDirectory: 0,
  infoPlist: 1,
  requirements: 2,
  resources: 3,
  application: 4,
  entitlements: 5,
  derEntitlements: 7,
  alternateCodeDirectories: 0x1000,
  signature: 0x10000,
} as const;

const blobMaximum = 256;
const slotMaximum = 4_000_000;

/** Flags of a CodeDirectory with their names, as tools print them. */
const flagNames: readonly [number, string][] = [
  [0x1, "host"],
  [0x2, "adhoc"],
  [0x100, "hard"],
  [0x200, "kill"],
  [0x400, "expires"],
  [0x800, "restrict"],
  [0x1000, "enforcement"],
  [0x2000, "library-validation"],
  [0x10000, "runtime"],
  [0x20000, "linker-signed"],
];

const hashNames: Readonly<Record<number, string>> = {
  1: "sha1",
  2: "sha256",
  3: "sha256-truncated",
  4: "sha384",
};

export interface SignatureBlob {
  readonly slot: number;
  readonly magic: number;
  /** Whole blob, magic and length included. */
  readonly bytes: Uint8Array;
}

export interface CodeDirectory {
  readonly version: number;
  readonly flags: number;
  readonly flagNames: readonly string[];
  readonly identifier: string;
  readonly teamIdentifier: string | null;
  /** "sha256" and so on. */
  readonly hashType: string;
  readonly hashBytes: number;
  readonly codeLimit: number;
  readonly pageBytes: number;
  readonly platform: number;
  /** Hashes of special slots by slot number, absent ones left out. All zeros: the slot is empty. */
  readonly specialHashes: ReadonlyMap<number, Uint8Array>;
  readonly codeHashes: readonly Uint8Array[];
  /** The blob itself: the CDHash is the first 20 bytes of its hash. */
  readonly blob: Uint8Array;
}

export interface CodeSignature {
  readonly codeDirectories: readonly CodeDirectory[];
  /** Text of each requirement by its type: "designated", "host", "guest", "library", "plugin". */
  readonly requirements: Readonly<Record<string, string>>;
  /** The designated requirement's own blob; null when there is none. */
  readonly designated: Uint8Array | null;
  /** XML text; null when there is no such blob. */
  readonly entitlementsXml: Uint8Array | null;
  /** Payload of the DER blob. */
  readonly entitlementsDer: Uint8Array | null;
  /** CMS; null or empty for ad-hoc signatures. */
  readonly cms: Uint8Array | null;
  readonly blobs: readonly SignatureBlob[];
}

/** What LC_CODE_SIGNATURE points at. Throws DecodeError with the offset inside `bytes`. */
export function decodeCodeSignature(bytes: Uint8Array): CodeSignature {
  const subject = "code signature";
  const fail = (at: number, problem: string): never => {
    throw new DecodeError(subject, at, problem);
  };
  if (bytes.length < 12) fail(bytes.length, "it is cut off");
  const magic = u32(bytes, 0);
  if (magic !== SignatureMagic.superBlob && magic !== SignatureMagic.detached)
    fail(0, `magic 0x${magic.toString(16)} is no SuperBlob`);
  const length = u32(bytes, 4);
  if (length > bytes.length) fail(4, `length ${length}, but ${bytes.length} bytes are there`);
  const count = u32(bytes, 8);
  if (count > blobMaximum || 12 + count * 8 > length) fail(8, `${count} blobs do not fit`);
  const blobs: SignatureBlob[] = [];
  for (let index = 0; index < count; index++) {
    const slot = u32(bytes, 12 + index * 8);
    const at = u32(bytes, 16 + index * 8);
    if (at + 8 > length) fail(16 + index * 8, `blob ${index} lies behind the end`);
    const blobBytes = u32(bytes, at + 4);
    if (blobBytes < 8 || at + blobBytes > length) fail(at + 4, `blob ${index} has length ${blobBytes}`);
    blobs.push({ slot, magic: u32(bytes, at), bytes: bytes.subarray(at, at + blobBytes) });
  }
  const payload = (magicWanted: number): Uint8Array | null =>
    blobs.find((blob) => blob.magic === magicWanted)?.bytes.subarray(8) ?? null;
  const requirements = blobs.find((blob) => blob.magic === SignatureMagic.requirements);
  const ofType = requirements === undefined ? new Map() : requirementBlobs(requirements.bytes);
  return {
    codeDirectories: blobs
      .filter((blob) => blob.magic === SignatureMagic.codeDirectory)
      .map((blob) => decodeCodeDirectory(blob.bytes)),
    requirements: Object.fromEntries([...ofType].map(([type, blob]) => [type, decodeRequirement(blob)])),
    designated: ofType.get("designated") ?? null,
    entitlementsXml: payload(SignatureMagic.entitlements),
    entitlementsDer: payload(SignatureMagic.derEntitlements),
    cms: payload(SignatureMagic.wrapper),
    blobs,
  };
}

/** Fields came with versions: 0x20100 scatter, 0x20200 team, 0x20300 long limits, 0x20400 executable segment. */
function decodeCodeDirectory(bytes: Uint8Array): CodeDirectory {
  const fail = (at: number, problem: string): never => {
    throw new DecodeError("CodeDirectory", at, problem);
  };
  if (bytes.length < 44) fail(bytes.length, "it is cut off");
  const version = u32(bytes, 8);
  const flags = u32(bytes, 12);
  const hashesAt = u32(bytes, 16);
  const specialCount = u32(bytes, 24);
  const codeCount = u32(bytes, 28);
  const hashBytes = bytes[36];
  if (specialCount > 64 || codeCount > slotMaximum)
    fail(24, `${specialCount} special and ${codeCount} code slots`);
  if (hashesAt < specialCount * hashBytes || hashesAt + codeCount * hashBytes > bytes.length)
    fail(16, "hashes lie outside the blob");
  const specialHashes = new Map<number, Uint8Array>();
  for (let slot = 1; slot <= specialCount; slot++) {
    const at = hashesAt - slot * hashBytes;
    specialHashes.set(slot, bytes.subarray(at, at + hashBytes));
  }
  const teamAt = version >= 0x20200 && bytes.length >= 52 ? u32(bytes, 48) : 0;
  const longLimit =
    version >= 0x20300 && bytes.length >= 64 ? u32(bytes, 56) * 4294967296 + u32(bytes, 60) : 0;
  return {
    version,
    flags,
    flagNames: flagNames.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name),
    identifier: terminated(bytes, u32(bytes, 20)),
    teamIdentifier: teamAt === 0 ? null : terminated(bytes, teamAt),
    hashType: hashNames[bytes[37]] ?? `hash type ${bytes[37]}`,
    hashBytes,
    codeLimit: longLimit > 0 ? longLimit : u32(bytes, 32),
    pageBytes: bytes[39] === 0 ? 0 : 2 ** Math.min(31, bytes[39]),
    platform: bytes[38],
    specialHashes,
    codeHashes: Array.from({ length: codeCount }, (_, index) =>
      bytes.subarray(hashesAt + index * hashBytes, hashesAt + (index + 1) * hashBytes),
    ),
    blob: bytes,
  };
}

const requirementTypes: Readonly<Record<number, string>> = {
  1: "host",
  2: "guest",
  3: "designated",
  4: "library",
  5: "plugin",
};

/** Type -> blob. */
function requirementBlobs(bytes: Uint8Array): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  if (bytes.length < 12) return found;
  const count = u32(bytes, 8);
  if (12 + count * 8 > bytes.length) throw new DecodeError("requirements", 8, `${count} do not fit`);
  for (let index = 0; index < count; index++) {
    const type = u32(bytes, 12 + index * 8);
    const at = u32(bytes, 16 + index * 8);
    if (at + 12 > bytes.length)
      throw new DecodeError("requirements", 16 + index * 8, "one lies behind the end");
    const length = u32(bytes, at + 4);
    if (length < 12 || at + length > bytes.length)
      throw new DecodeError("requirements", at + 4, `a requirement of ${length} bytes`);
    found.set(requirementTypes[type] ?? `type ${type}`, bytes.subarray(at, at + length));
  }
  return found;
}

function terminated(bytes: Uint8Array, at: number): string {
  let end = at;
  while (end < bytes.length && bytes[end] !== 0) end++;
  return at >= bytes.length ? "" : decodeUtf8(bytes.subarray(at, end));
}

function u32(bytes: Uint8Array, at: number): number {
  return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
}
