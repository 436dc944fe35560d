// A package's signatures verified: pages, special slots, seal, CMS, chain, designated requirement.

import { sameBytes } from "@drydock/core/base/bytes";
import { DecodeError } from "@drydock/core/base/errors";
import { type CodeDirectory, SignatureSlot } from "@drydock/core/codec/code-signature/code-signature";
import { parseRequirement, requirementText } from "@drydock/core/codec/code-signature/requirement";
import { judgeRequirement } from "@drydock/core/platform/requirement-verdict";
import type { Evidence } from "../evidence/evidence.ts";
import type { Fact } from "../evidence/facts.ts";
import { digestOfHashType, type SignatureCrypto } from "../facts/signature-crypto.ts";
import { type VerifiedCms, type VerifiedPoint, verifyCms } from "./cms-chain.ts";
import { sealPath, verifySeal } from "./seal.ts";

export interface VerifiedSignature {
  readonly file: string;
  readonly architecture: string;
  readonly bundleIdentifier: string;
  readonly points: readonly VerifiedPoint[];
}

export interface VerifiedFiles {
  readonly signatures: readonly VerifiedSignature[];
  /** The signature on each profile. */
  readonly profiles: readonly VerifiedSignature[];
}

/** What no file says: only Apple's servers, or a Mac that asks them, do. */
export const notVerified =
  "Not looked at, as it needs a Mac or Apple's servers: whether a certificate was revoked, the notarisation ticket, the timestamp's own signature.";

export function verifySignatures(
  evidence: Evidence,
  crypto: SignatureCrypto,
  roots: readonly Uint8Array[],
  skipped: ReadonlySet<string>,
): VerifiedFiles {
  const executables = evidence.facts("executable").filter(({ value }) => value.signature !== null);
  const sealedRoots = new Set<string>();
  const signatures = executables.map((fact): VerifiedSignature => {
    const points = pointsOf(evidence, fact, crypto, roots);
    const root = rootOf(evidence, fact.place.file);
    if (root !== null && !sealedRoots.has(root)) {
      sealedRoots.add(root);
      points.push(...verifySeal(evidence, root, mainExecutables(evidence, root), skipped, crypto));
    }
    return {
      file: fact.place.file,
      architecture: fact.value.slice?.architecture ?? "",
      bundleIdentifier: fact.value.directory?.identifier ?? "",
      points,
    };
  });
  // A bundle whose executable was not handed in still has its seal.
  for (const { place } of evidence.facts("property-list")) {
    const root = place.file.endsWith(`/${sealPath}`) ? place.file.slice(0, -sealPath.length - 1) : null;
    if (root === null || sealedRoots.has(root)) continue;
    sealedRoots.add(root);
    signatures.push({
      file: place.file,
      architecture: "",
      bundleIdentifier: "",
      points: verifySeal(evidence, root, mainExecutables(evidence, root), skipped, crypto),
    });
  }
  return { signatures, profiles: verifyProfiles(evidence, crypto, roots) };
}

function verifyProfiles(
  evidence: Evidence,
  crypto: SignatureCrypto,
  roots: readonly Uint8Array[],
): VerifiedSignature[] {
  return evidence.facts("profile").flatMap(({ place, value: { cms, profile } }) =>
    cms === undefined
      ? []
      : [
          {
            file: place.file,
            architecture: "",
            bundleIdentifier: profile.applicationIdentifier,
            points: attempted("signature", () => verifyCms(cms, null, crypto, roots).points),
          },
        ],
  );
}

function pointsOf(
  evidence: Evidence,
  fact: Fact<"executable">,
  crypto: SignatureCrypto,
  roots: readonly Uint8Array[],
): VerifiedPoint[] {
  const { directory, pages, signature } = fact.value;
  if (signature === null || directory === null)
    return [{ what: "code", outcome: "broken", text: "the signature has no CodeDirectory" }];
  const points: VerifiedPoint[] = [];
  if (pages === null)
    points.push({
      what: "code",
      outcome: "open",
      text: `hashes of type ${directory.hashType} are not counted here`,
    });
  else if (pages.wrongCount > 0)
    points.push({
      what: "code",
      outcome: "broken",
      text: `${pages.wrongCount} of ${pages.checked} pages are not what was signed (page ${pages.wrong.slice(0, 4).join(", ")}${pages.wrongCount > 4 ? ", ..." : ""})`,
    });
  else if (!pages.isCovered)
    points.push({
      what: "code",
      outcome: "broken",
      text: "the signature does not cover the code that is here",
    });
  else points.push({ what: "code", outcome: "fits", text: `${pages.checked} pages are what was signed` });
  points.push(...specialSlots(evidence, fact, directory, crypto));
  const signedBytes =
    signature.blobs.find(({ slot }) => slot === SignatureSlot.codeDirectory)?.bytes ?? directory.blob;
  const isAdHoc = signature.cms === null || signature.cms.length === 0;
  let cms: VerifiedCms | null = null;
  if (isAdHoc) points.push({ what: "signer", outcome: "open", text: "signed ad hoc: nobody stands for it" });
  else
    points.push(
      ...attempted("signature", () => {
        cms = verifyCms(signature.cms as Uint8Array, signedBytes, crypto, roots);
        return cms.points;
      }),
    );
  points.push(...requirement(evidence, fact, cms, isAdHoc, crypto));
  return points;
}

function specialSlots(
  evidence: Evidence,
  fact: Fact<"executable">,
  directory: CodeDirectory,
  crypto: SignatureCrypto,
): VerifiedPoint[] {
  const algorithm = digestOfHashType(directory.hashType);
  if (algorithm === null) return [];
  const root = rootOf(evidence, fact.place.file);
  const points: VerifiedPoint[] = [];
  const fitting: string[] = [];
  for (const [slot, wanted] of directory.specialHashes) {
    if (wanted.every((byte) => byte === 0)) continue;
    const name = slotNames[slot] ?? `slot ${slot}`;
    const isFile = slot === SignatureSlot.infoPlist || slot === SignatureSlot.resources;
    const blob = fact.value.signature?.blobs.find((one) => one.slot === slot)?.bytes;
    const given = isFile
      ? fileDigest(evidence, root, slot === SignatureSlot.infoPlist ? infoPlists : [sealPath], algorithm)
      : blob === undefined
        ? null
        : crypto.digest(algorithm, blob);
    if (given === null)
      points.push(
        isFile
          ? { what: name, outcome: "open", text: `${name} is signed for and not among the evidence` }
          : {
              what: name,
              outcome: "broken",
              text: `${name} is signed for, and the signature does not hold it`,
            },
      );
    else if (sameBytes(given.subarray(0, directory.hashBytes), wanted)) fitting.push(name);
    else points.push({ what: name, outcome: "broken", text: `${name} is not what was signed` });
  }
  if (fitting.length > 0)
    points.push({
      what: "slots",
      outcome: "fits",
      text: `${fitting.join(", ")} ${fitting.length === 1 ? "is" : "are"} what was signed`,
    });
  return points;
}

const slotNames: Readonly<Record<number, string>> = {
  1: "Info.plist",
  2: "the requirements",
  3: "the seal of the resources",
  4: "the application's data",
  5: "the entitlements",
  6: "the disk image's data",
  7: "the DER entitlements",
  8: "the launch constraint on itself",
  9: "the launch constraint on its parent",
  10: "the launch constraint on who is responsible",
  11: "the library constraint",
};

const infoPlists = ["Info.plist", "Resources/Info.plist"];

/** Null: not read, or the hash is one that files were not counted with; a program in one file has its list inside. */
function fileDigest(
  evidence: Evidence,
  root: string | null,
  names: readonly string[],
  algorithm: string,
): Uint8Array | null {
  if (root === null || (algorithm !== "sha1" && algorithm !== "sha256")) return null;
  for (const name of names) {
    const found = evidence.digests.get(`${root}/${name}`);
    if (found !== undefined) return found[algorithm];
  }
  return null;
}

function requirement(
  evidence: Evidence,
  fact: Fact<"executable">,
  cms: VerifiedCms | null,
  isAdHoc: boolean,
  crypto: SignatureCrypto,
): VerifiedPoint[] {
  const { directory, infoPlist, signature, signed } = fact.value;
  const blob = signature?.designated ?? null;
  if (blob === null || directory === null) return [];
  const what = "designated requirement";
  return attempted(what, () => {
    const parsed = parseRequirement(blob);
    const root = rootOf(evidence, fact.place.file);
    const list = evidence
      .facts("property-list")
      .find(({ place }) => infoPlists.some((name) => place.file === `${root}/${name}`));
    const { because, holds } = judgeRequirement(parsed, {
      identifier: directory.identifier,
      platform: directory.platform,
      cdHashes: (signature?.codeDirectories ?? []).map((one) =>
        crypto.digest(digestOfHashType(one.hashType) ?? "sha256", one.blob).subarray(0, 20),
      ),
      info: list?.value.value ?? infoPlist,
      entitlements: signed?.claims ?? {},
      chain: cms?.chain ?? [],
      certificateHashes: cms?.hashes ?? [],
      isAppleRooted: isAdHoc ? false : (cms?.isAppleRooted ?? null),
    });
    const parts = because.slice(0, 3).map((part) => requirementText(part));
    return [
      holds === true
        ? { what, outcome: "fits", text: requirementText(parsed) }
        : holds === null
          ? { what, outcome: "open", text: `only a Mac can say: ${parts.join("; ")}` }
          : { what, outcome: "broken", text: `the code does not satisfy its own: ${parts.join("; ")}` },
    ];
  });
}

/** The folder that a seal and an Info.plist of this executable lie in; null for one that lies in no bundle. */
function rootOf(evidence: Evidence, file: string): string | null {
  const folder = file.slice(0, Math.max(0, file.lastIndexOf("/")));
  const candidates = folder.endsWith("/MacOS") ? [folder.slice(0, -"/MacOS".length), folder] : [folder];
  for (const root of candidates) {
    if (!mainExecutables(evidence, root).has(file)) continue;
    return root;
  }
  return null;
}

/** What the Info.plist of a bundle's folder names as its executable: the code that the seal leaves to its signature. */
function mainExecutables(evidence: Evidence, root: string): ReadonlySet<string> {
  const names = evidence
    .facts("property-list")
    .filter(({ place }) => infoPlists.some((name) => place.file === `${root}/${name}`))
    .map(({ value }) => value.value.CFBundleExecutable)
    .filter((name) => typeof name === "string");
  return new Set(names.flatMap((name) => [`${root}/${name}`, `${root}/MacOS/${name}`]));
}

/** What cannot be decoded is told as that, and the rest goes on. */
function attempted(what: string, read: () => readonly VerifiedPoint[]): VerifiedPoint[] {
  try {
    return [...read()];
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return [{ what, outcome: "broken", text: `it cannot be read (${error.message})` }];
  }
}
