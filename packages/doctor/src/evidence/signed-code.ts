// Mach-O files and code signatures: what is linked, for which system, who signed, and what is claimed.

import { sameBytes } from "@drydock/core/base/bytes";
import { DecodeError } from "@drydock/core/base/errors";
import {
  type CodeDirectory,
  type CodeSignature,
  decodeCodeSignature,
  SignatureMagic,
} from "@drydock/core/codec/code-signature/code-signature";
import { type CmsCertificate, decodeSignedData } from "@drydock/core/codec/der/cms";
import { decodeDerEntitlements } from "@drydock/core/codec/der/der-entitlements";
import { decodeMachO, looksLikeMachO, type MachOSlice } from "@drydock/core/codec/macho/macho";
import { differingKeys, isDictionary, type Properties } from "@drydock/core/platform/properties";
import type { Place } from "../facts/evidence-source.ts";
import type { PageHashes, SignedClaims } from "../facts/executable.ts";
import { digestOfHashType, type SignatureCrypto } from "../facts/signature-crypto.ts";
import { readPlistBytes } from "./plist-bytes.ts";
import { plainDer } from "./profile.ts";
import { addPropertyList } from "./property-list.ts";
import type { BinaryReader, FactSink } from "./reader.ts";

const infoSection = "__TEXT,__info_plist";

export const machOReader: BinaryReader = {
  kind: "Mach-O",
  // Executables with a runtime inside have more than a hundred.
  mostBytes: 256 << 20,
  recognise: looksLikeMachO,
  read(file, sink) {
    for (const slice of decodeMachO(file.bytes)) {
      const at = slice.signature;
      const signature =
        at === null
          ? null
          : attempt(
              () => decodeCodeSignature(file.bytes.subarray(at.offset, at.offset + at.size)),
              sink,
              "a code signature",
            );
      const section = slice.sections.find(({ name }) => name === infoSection);
      const infoPlist =
        section === undefined || section.offset + section.size > file.bytes.length
          ? null
          : attempt(
              () => readPlistBytes(file.bytes.subarray(section.offset, section.offset + section.size)).value,
              sink,
              "an Info.plist inside",
            );
      const build = slice.build === null ? "" : `, ${slice.build.platform} ${slice.build.minimumOS}`;
      const place: Place = {
        file: file.name,
        line: 0,
        offset: slice.offset,
        text: `${slice.architecture} ${slice.fileType}${build}`,
      };
      addExecutable(
        slice,
        signature,
        isDictionary(infoPlist ?? undefined) ? (infoPlist as Properties) : null,
        place,
        sink,
        file.bytes.subarray(slice.offset),
      );
    }
  },
};

/** Signatures outside of their binaries, and the entitlements that were cut out of one. */
export const signatureReader: BinaryReader = {
  kind: "code signature",
  recognise: (head) => blobMagics.has(bigEndianWord(head, 0)) || isDerEntitlements(head),
  read(file, sink) {
    const { bytes } = file;
    const place: Place = { file: file.name, line: 0, offset: 0, text: "code signature" };
    const magic = bigEndianWord(bytes, 0);
    if (magic === SignatureMagic.superBlob || magic === SignatureMagic.detached)
      addExecutable(null, decodeCodeSignature(bytes), null, place, sink);
    else if (magic === SignatureMagic.entitlements) {
      const { value, hasComment } = readPlistBytes(bytes.subarray(8));
      addPropertyList(value, placesBelow(place), hasComment, sink);
    } else {
      const der = magic === SignatureMagic.derEntitlements ? bytes.subarray(8) : bytes;
      addPropertyList(plainDer(decodeDerEntitlements(der)), placesBelow(place), false, sink);
    }
  },
};

const blobMagics: ReadonlySet<number> = new Set([
  SignatureMagic.superBlob,
  SignatureMagic.detached,
  SignatureMagic.entitlements,
  SignatureMagic.derEntitlements,
]);

function addExecutable(
  slice: MachOSlice | null,
  signature: CodeSignature | null,
  infoPlist: Properties | null,
  place: Place,
  sink: FactSink,
  code: Uint8Array | null = null,
): void {
  const signed = signature === null ? null : claimsOf(signature, sink);
  const cms = signature?.cms ?? null;
  const certificates =
    cms === null || cms.length === 0
      ? []
      : (attempt(() => signerFirst(cms), sink, "the CMS of a code signature") ?? []);
  const directory = strongest(signature?.codeDirectories ?? []);
  if (signature !== null) sink.kind("code signature");
  const text = directory === null ? place.text : `${place.text}, signed as ${directory.identifier}`;
  sink.add(
    "executable",
    { ...place, text },
    {
      slice,
      signature,
      directory,
      signed,
      certificates,
      infoPlist,
      pages: pageHashes(directory, code, sink.crypto ?? null),
    },
  );
  if (directory?.teamIdentifier) sink.secret("team", directory.teamIdentifier);
  if (infoPlist !== null) addPropertyList(infoPlist, placesBelow(place), false, sink);
  if (signed !== null && signed.source !== "none")
    addPropertyList(signed.claims, placesBelow(place), signed.hasXmlComments, sink);
}

/** Every page of the code against its hash; the pages are counted from the slice's own beginning. */
function pageHashes(
  directory: CodeDirectory | null,
  code: Uint8Array | null,
  crypto: SignatureCrypto | null,
): PageHashes | null {
  const algorithm = directory === null ? null : digestOfHashType(directory.hashType);
  if (directory === null || code === null || crypto === null || algorithm === null) return null;
  const { codeHashes, codeLimit, hashBytes } = directory;
  const pageBytes = directory.pageBytes === 0 ? codeLimit : directory.pageBytes;
  const wrong: number[] = [];
  let wrongCount = 0;
  codeHashes.forEach((hash, index) => {
    const page = code.subarray(index * pageBytes, Math.min(codeLimit, (index + 1) * pageBytes));
    if (sameBytes(crypto.digest(algorithm, page).subarray(0, hashBytes), hash)) return;
    wrongCount++;
    if (wrong.length < 16) wrong.push(index);
  });
  return {
    checked: codeHashes.length,
    wrong,
    wrongCount,
    isCovered:
      codeLimit <= code.length && codeHashes.length === Math.ceil(codeLimit / Math.max(1, pageBytes)),
  };
}

function placesBelow(place: Place): (path: string) => Place {
  return (path) => ({ ...place, text: path === "" ? place.text : path });
}

function claimsOf(signature: CodeSignature, sink: FactSink): SignedClaims {
  const { entitlementsXml, entitlementsDer } = signature;
  const xml =
    entitlementsXml === null
      ? null
      : attempt(() => readPlistBytes(entitlementsXml), sink, "XML entitlements");
  const der =
    entitlementsDer === null
      ? null
      : attempt(() => plainDer(decodeDerEntitlements(entitlementsDer)), sink, "DER entitlements");
  const readable = isDictionary(xml?.value) ? xml.value : null;
  const trusted = isDictionary(der ?? undefined) ? (der as Properties) : null;
  return {
    claims: trusted ?? readable ?? {},
    source: trusted !== null ? "DER" : readable !== null ? "XML" : "none",
    differingKeys: readable === null || trusted === null ? [] : differingKeys(readable, trusted),
    hasXmlComments: xml?.hasComment ?? false,
  };
}

/** A part that is broken does not make the rest unreadable: it becomes a line about the file. */
function attempt<Value>(read: () => Value, sink: FactSink, what: string): Value | null {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    sink.problem(`has ${what} that cannot be read (${error.message}); the rest was read`);
    return null;
  }
}

function signerFirst(cms: Uint8Array): CmsCertificate[] {
  const { certificates, signers } = decodeSignedData(cms);
  const isSigner = (certificate: CmsCertificate) =>
    signers.some(
      ({ serialHex, issuerCommonName }) =>
        serialHex === certificate.serialHex && issuerCommonName === certificate.issuerCommonName,
    );
  return [...certificates.filter(isSigner), ...certificates.filter((entry) => !isSigner(entry))];
}

function strongest(directories: readonly CodeDirectory[]): CodeDirectory | null {
  return directories.reduce<CodeDirectory | null>(
    (best, entry) => (best === null || entry.hashBytes > best.hashBytes ? entry : best),
    null,
  );
}

function bigEndianWord(bytes: Uint8Array, at: number): number {
  if (bytes.length < at + 4) return 0;
  return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
}

/** [APPLICATION 16] { INTEGER 1, [CONTEXT 16] ... in the definite form. */
function isDerEntitlements(head: Uint8Array): boolean {
  if (head[0] !== 0x70 || head.length < 8) return false;
  const at = 2 + (head[1] > 0x80 ? head[1] & 0x7f : 0);
  return head[at] === 2 && head[at + 1] === 1 && head[at + 2] === 1 && head[at + 3] === 0xb0;
}
