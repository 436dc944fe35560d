// `drydock check`: a package examined on purpose: rehearsal, import gate, platforms, and what the rules say of it.

import { systemOfDriverKit } from "@drydock/core/platform/driverkit-symbols";
import type { PlatformProfile } from "@drydock/core/platform/platform-profile";
import { judge } from "./diagnose.ts";
import type { Answer, Reading } from "./diagnosis.ts";
import { collectEvidence } from "./evidence/collect.ts";
import type { EvidenceSource } from "./facts/evidence-source.ts";
import type { ReadFile } from "./facts/read-file.ts";
import { readingsOf } from "./readings.ts";
import { allRules } from "./rules/all-rules.ts";
import { promisedSystemTooOld } from "./rules/sdk/promised-system-too-old.ts";
import { shownReport } from "./shown-report.ts";
import { channelsOf, type PartChannels } from "./signing/channels.ts";
import { driverKitVersion, type ImportGate, importGate } from "./signing/import-gate.ts";
import {
  type PackageRehearsal,
  type RehearsalOptions,
  rehearsePackages,
} from "./signing/package-rehearsal.ts";
import { type EvidencePart, evidenceParts } from "./signing/parts.ts";
import { judgePlatform, type PlatformVerdict } from "./signing/platform-check.ts";

export interface CheckOptions extends RehearsalOptions {
  /** "15.0": the oldest system that the package promises. Left out: what its binary says of itself. */
  readonly minimumSystem?: string | null;
  /** Platforms that a driver is judged on. */
  readonly platforms: readonly PlatformProfile[];
  /** Whether a platform that refuses the driver is a failure: true when somebody asked for that platform. */
  readonly platformsMustAccept: boolean;
}

export interface GateOfBinary extends ImportGate {
  readonly bundleIdentifier: string;
  readonly file: string;
  readonly architecture: string;
  /** "macOS 15": the system of that DriverKit. */
  readonly system: string;
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
  /** What the doctor's rules say of the same files, surest first; hints are left out. */
  readonly findings: readonly Answer[];
  readonly files: readonly ReadFile[];
  /** What was read, one line a file. */
  readonly readings: readonly Reading[];
}

/** Throws RangeError when there is nothing to check in the files: it says what was there instead. */
export async function checkPackage(
  sources: Iterable<EvidenceSource> | AsyncIterable<EvidenceSource>,
  options: CheckOptions,
): Promise<CheckReport> {
  const evidence = await collectEvidence(
    sources,
    allRules.flatMap(({ watches }) => watches ?? []),
  );
  const parts = evidenceParts(evidence);
  const readings = readingsOf(evidence, options.date ?? null);
  const profiles = evidence.facts("profile").map(({ value }) => value.profile);
  if (parts.length === 0 && profiles.length === 0) throw new RangeError(nothingToCheck(evidence.files));
  const drivers = parts.filter(({ role }) => role === "dext");
  const packages = rehearsePackages(evidence, options);
  const gates = drivers.flatMap((part) => gatesOf(part, options));
  const platforms = drivers.map((part) => ({
    bundleIdentifier: part.bundleIdentifier,
    verdicts: options.platforms.map((platform) => judgePlatform(part, platform)),
  }));
  // With a system asked for, the gate answers what DR03-3 asks of the binary's own promise.
  const findings = judge(evidence).answers.filter(
    ({ rule }) => rule !== promisedSystemTooOld.id || options.minimumSystem == null,
  );
  return shownReport({
    version: 1,
    ok:
      // A profile by itself: whether it still holds.
      (parts.length > 0 ||
        profiles.every(({ expires }) => options.date == null || expires === "" || expires >= options.date)) &&
      packages.every(({ rehearsal }) => rehearsal.stoppedAt === null) &&
      gates.every(({ missing, isTooNew }) => missing.length === 0 && !isTooNew) &&
      !(
        options.platformsMustAccept &&
        platforms.some(({ verdicts }) => verdicts.some(({ outcome }) => outcome === "refused"))
      ) &&
      findings.every(({ severity }) => severity !== "error") &&
      evidence.files.every(({ problems }) => problems.length === 0),
    parts: parts.map(foundPart),
    packages,
    gates,
    channels: parts.flatMap((part) => channelsOf(part, options.date ?? null) ?? []),
    platforms,
    findings,
    files: evidence.files,
    readings,
  });
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

function nothingToCheck(files: readonly ReadFile[]): string {
  const first = files.find(({ problems }) => problems.length > 0) ?? files[0];
  const seen =
    first === undefined
      ? "there is no file"
      : first.problems.length > 0
        ? `${first.name} ${first.problems[0]}`
        : `${first.name} is ${first.kinds.join(" and ") || "nothing known"}`;
  return `no app, driver, signature or entitlements to check: ${seen}. Give an .app or .dext, or a folder, zip or tar.gz of one.`;
}
