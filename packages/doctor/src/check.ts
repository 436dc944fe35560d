// `drydock check`: a package examined on purpose: rehearsal, import gate, platforms, and what the rules say of it.

import { systemOfDriverKit } from "@drydock/core/platform/driverkit-symbols";
import type { PlatformProfile } from "@drydock/core/platform/platform-profile";
import { judge } from "./diagnose.ts";
import type { Answer, Reading } from "./diagnosis.ts";
import { collectEvidence } from "./evidence/collect.ts";
import type { Evidence } from "./evidence/evidence.ts";
import type { EvidenceSource } from "./facts/evidence-source.ts";
import type { ReadFile } from "./facts/read-file.ts";
import type { SignatureCrypto } from "./facts/signature-crypto.ts";
import { readingsOf } from "./readings.ts";
import { isOfPackage, packageEvidence, packageRules } from "./rules/package-rules.ts";
import { promisedSystemTooOld } from "./rules/sdk/promised-system-too-old.ts";
import { shownReport } from "./shown-report.ts";
import { channelsOf, type PartChannels } from "./signing/channels.ts";
import type { VerifiedPoint } from "./signing/cms-chain.ts";
import { listsOf } from "./signing/entitlement-lists.ts";
import { driverKitVersion, type ImportGate, importGate } from "./signing/import-gate.ts";
import {
  type PackageRehearsal,
  type RehearsalOptions,
  rehearsePackages,
} from "./signing/package-rehearsal.ts";
import { type EvidencePart, evidenceParts } from "./signing/parts.ts";
import { judgePlatform, type PlatformVerdict } from "./signing/platform-check.ts";
import { notVerified, type VerifiedSignature, verifySignatures } from "./signing/verification.ts";

export interface CheckOptions extends RehearsalOptions {
  /** "15.0": the oldest system that the package promises. Left out: what its binary says of itself. */
  readonly minimumSystem?: string | null;
  /** Platforms that a driver is judged on. */
  readonly platforms: readonly PlatformProfile[];
  /** Whether a platform that refuses the driver is a failure: true when somebody asked for that platform. */
  readonly platformsMustAccept: boolean;
  /** Hashes and keys; without them signatures are read and not verified. */
  readonly crypto?: SignatureCrypto | null;
  /** Certificates (DER) that are trusted as roots beside Apple's. */
  readonly roots?: readonly Uint8Array[];
  /** Names of files that were there and not handed in. */
  readonly skipped?: ReadonlySet<string>;
}

/** What was verified of the signatures, and what nobody can verify off a Mac. */
export interface SignatureReport {
  /** One for each architecture of each executable, and for a seal without one. */
  readonly code: readonly VerifiedSignature[];
  readonly profiles: readonly VerifiedSignature[];
  readonly notVerified: string;
}

export interface GateOfBinary extends ImportGate {
  readonly bundleIdentifier: string;
  readonly file: string;
  readonly architecture: string;
  /** "macOS 15": the system of that DriverKit. */
  readonly system: string;
}

export interface CheckedProfile {
  readonly file: string;
  readonly name: string;
  /** ISO 8601; empty when the profile does not say. */
  readonly expires: string;
  readonly isExpired: boolean;
}

/** What was found, before anything is judged. */
export interface FoundPart {
  readonly role: EvidencePart["role"];
  readonly bundleIdentifier: string;
  readonly teamIdentifier: string;
  /** Who signed, as the certificate says of itself (not verified); "ad hoc"; null: no signature was found. */
  readonly signedBy: string | null;
  /** "arm64, macOS 15.0, SDK 15.4", one per slice. */
  readonly binaries: readonly string[];
}

export interface CheckReport {
  /** Grows when the shape changes. */
  readonly version: 1;
  readonly ok: boolean;
  readonly parts: readonly FoundPart[];
  readonly packages: readonly PackageRehearsal[];
  readonly gates: readonly GateOfBinary[];
  /** How each part can reach people: development, ad hoc, TestFlight and App Store, Developer ID. */
  readonly channels: readonly PartChannels[];
  readonly platforms: readonly {
    readonly bundleIdentifier: string;
    readonly verdicts: readonly PlatformVerdict[];
  }[];
  /** Every profile among the files, and whether it still holds on the day of the check. */
  readonly profiles: readonly CheckedProfile[];
  /** Null: no hashes were at hand. */
  readonly signatures: SignatureReport | null;
  /** What the doctor's rules say of the package's files, surest first. */
  readonly findings: readonly Answer[];
  /** What they say with less than even odds; it fails nothing. */
  readonly hints: readonly Answer[];
  readonly files: readonly ReadFile[];
  /** What was read, one line a file. */
  readonly readings: readonly Reading[];
}

/** How those who hand in files name what was too many. What was not read cannot pass. */
const restOfFiles = "the rest";
const unreadRest: ReadFile = {
  name: restOfFiles,
  kinds: [],
  sizeBytes: 0,
  problems: [
    "cannot be read: there are more files than are looked at together; give the app or the driver alone",
  ],
};

const packageWatches = packageRules.flatMap(({ watches }) => watches ?? []);

/** Throws RangeError when there is nothing to check in the files: it says what was there instead. */
export async function checkPackage(
  sources: Iterable<EvidenceSource> | AsyncIterable<EvidenceSource>,
  options: CheckOptions,
): Promise<CheckReport> {
  const all = await collectEvidence(sources, packageWatches, undefined, null, options.crypto ?? null);
  const evidence = packageEvidence(all);
  const parts = evidenceParts(evidence);
  const readings = readingsOf(evidence, options.date ?? null);
  const profiles = evidence.facts("profile").map(
    ({ place, value: { profile } }): CheckedProfile => ({
      file: place.file,
      name: profile.name,
      expires: profile.expires,
      isExpired: options.date != null && profile.expires !== "" && profile.expires < options.date,
    }),
  );
  if (parts.length === 0 && profiles.length === 0) throw new RangeError(nothingToCheck(all.files, all));
  const drivers = parts.filter(({ role }) => role === "dext");
  const packages = rehearsePackages(evidence, options);
  const gates = drivers.flatMap((part) => gatesOf(part, options));
  const platforms = drivers.map((part) => ({
    bundleIdentifier: part.bundleIdentifier,
    verdicts: options.platforms.map((platform) => judgePlatform(part, platform)),
  }));
  // With a system asked for, the gate answers what DR03-3 asks of the binary's own promise.
  const { answers, hints } = judge(evidence, packageRules);
  const ofPackage = (found: readonly Answer[]): Answer[] =>
    found.filter(({ rule }) => rule !== promisedSystemTooOld.id || options.minimumSystem == null);
  const findings = ofPackage(answers);
  const signatures = signaturesOf(all, options);
  const isWhole = options.skipped?.has(restOfFiles) !== true;
  return shownReport({
    version: 1,
    ok:
      isWhole &&
      profiles.every(({ isExpired }) => !isExpired) &&
      brokenPoints(signatures).length === 0 &&
      packages.every(({ rehearsal }) => rehearsal.stoppedAt === null) &&
      gates.every(({ missing, isTooNew }) => missing.length === 0 && !isTooNew) &&
      !(
        options.platformsMustAccept &&
        platforms.some(({ verdicts }) => verdicts.some(({ outcome }) => outcome === "refused"))
      ) &&
      findings.every(({ severity }) => severity !== "error") &&
      evidence.files.every((file) => file.problems.length === 0 || !isOfPackage(file)),
    parts: parts.map(foundPart),
    packages,
    gates,
    channels: parts.flatMap((part) => channelsOf(part, options.date ?? null) ?? []),
    platforms,
    profiles,
    signatures,
    findings,
    hints: ofPackage(hints),
    files: isWhole ? all.files : [...all.files, unreadRest],
    readings,
  });
}

function signaturesOf(evidence: Evidence, options: CheckOptions): SignatureReport | null {
  const crypto = options.crypto ?? null;
  if (crypto === null) return null;
  const { profiles, signatures } = verifySignatures(
    evidence,
    crypto,
    options.roots ?? [],
    options.skipped ?? new Set(),
  );
  return { code: signatures, profiles, notVerified };
}

/** Everything that was looked at and is wrong, with the file. */
export function brokenPoints(report: SignatureReport | null): { file: string; point: VerifiedPoint }[] {
  return [...(report?.code ?? []), ...(report?.profiles ?? [])].flatMap(({ file, points }) =>
    points.filter(({ outcome }) => outcome === "broken").map((point) => ({ file, point })),
  );
}

function foundPart(part: EvidencePart): FoundPart {
  const values = part.executables.map(({ value }) => value);
  const signed = values.find(({ directory }) => directory !== null);
  return {
    role: part.role,
    bundleIdentifier: part.bundleIdentifier,
    teamIdentifier: part.teamIdentifier,
    signedBy: signed === undefined ? null : (signed.certificates[0]?.commonName ?? "ad hoc"),
    binaries: values.flatMap(({ slice }) =>
      slice === null
        ? []
        : [
            `${slice.architecture}${slice.build === null ? "" : `, ${slice.build.platform} ${slice.build.minimumOS}, SDK ${slice.build.sdk}`}`,
          ],
    ),
  };
}

function gatesOf(part: EvidencePart, options: CheckOptions): GateOfBinary[] {
  const kind = options.platform?.userClientRules === "ipados" ? "iPadOS" : "macOS";
  const asked = options.minimumSystem == null ? null : driverKitVersion(options.minimumSystem, kind);
  return part.executables.flatMap(({ place, value: { slice } }): GateOfBinary[] => {
    const version = asked ?? slice?.build?.minimumOS ?? null;
    if (slice === null || version === null) return [];
    return [
      {
        ...importGate(slice, version),
        bundleIdentifier: part.bundleIdentifier,
        file: place.file,
        architecture: slice.architecture,
        system: asked !== null ? `${kind} ${options.minimumSystem}` : systemOfDriverKit(version),
      },
    ];
  });
}

function nothingToCheck(files: readonly ReadFile[], evidence: Evidence): string {
  const bundles = listsOf(evidence, "Info.plist").flatMap(({ place, value }) => {
    const type = value.value.CFBundlePackageType;
    return typeof type === "string" ? [`${place.file} is of a bundle of type ${type}`] : [];
  });
  const first = files.find((file) => file.problems.length > 0 && isOfPackage(file));
  const kinds = [...new Set(files.flatMap(({ kinds: own }) => own))].sort();
  const seen =
    files.length === 0
      ? "there is no file"
      : first !== undefined
        ? `${first.name} ${first.problems[0]}`
        : bundles.length > 0
          ? `${bundles[0]}, which another program loads`
          : files.length === 1
            ? `${files[0].name} is ${files[0].problems[0]?.replace(/^is /, "") ?? (kinds.join(" and ") || "nothing known")}`
            : `${files.length} files were read: ${kinds.join(", ")}`;
  return `no app, driver, signature or entitlements to check: ${seen}. Give an .app or .dext, or a folder, zip or tar.gz of one.`;
}
