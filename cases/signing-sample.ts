// The packages that the signing cases sign: an app, its driver, their profiles; as parts, as files, rehearsed.

import { createHash } from "node:crypto";
import {
  type BundleFile,
  type BundlePlan,
  writeBundle,
  writeProfile,
} from "@drydock/core/platform/evidence/signed-bundle";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import type { Properties } from "@drydock/core/platform/properties";
import type { ProvisioningProfile } from "@drydock/doctor/facts/provisioning-profile";
import {
  type Rehearsal,
  type RehearsalInput,
  rehearse,
  type SignedPart,
} from "@drydock/doctor/signing/rehearsal";

export const sampleTeam = "SAMPLE1234";
export const sampleApp = "org.drydock.sample.app";
export const sampleDriver = "org.drydock.sample.app.driver";
const sampleDate = "2025-10-01T00:00:00Z";
const sampleMac = "00008103-001A2B3C4D5E6F70";
const sampleUuid = "5c9a9c2e-7a55-4c7e-9d2b-2f6f0f3a1b10";
const created = "2025-09-01T00:00:00Z";
const expires = "2026-09-01T00:00:00Z";

/** A development profile for a bundle of a team, valid on the sample's Mac. */
function sampleProfile(bundleIdentifier: string, team: string, allowlist: Properties): ProvisioningProfile {
  return {
    name: `Sample profile of ${bundleIdentifier}`,
    uuid: sampleUuid,
    teamIdentifiers: [team],
    applicationIdentifier: `${team}.${bundleIdentifier}`,
    platforms: ["OSX"],
    created,
    expires,
    kind: "development",
    devices: [sampleMac],
    allowlist,
    allowlistSource: "DER",
    plistEntitlements: allowlist,
    editedKeys: [],
    signedBy: [],
    certificateHashes: [],
  };
}

/** `bundleIdentifier`: the sample's own of that role when left out. */
export function samplePart(
  role: SignedPart["role"],
  claims: Properties,
  allowlist: Properties,
  more: Partial<SignedPart> = {},
): SignedPart {
  const bundleIdentifier = more.bundleIdentifier ?? (role === "dext" ? sampleDriver : sampleApp);
  const teamIdentifier = more.teamIdentifier ?? sampleTeam;
  const profile = sampleProfile(bundleIdentifier, teamIdentifier, allowlist);
  return { role, bundleIdentifier, teamIdentifier, claims, profile, ...more };
}

const frameworks = "/System/DriverKit/System/Library/Frameworks";
const driverCode: BundlePlan["executable"] = {
  minimumOS: "24.0",
  sdk: "24.0",
  dylibs: [`${frameworks}/DriverKit.framework/DriverKit`],
  imports: [{ symbol: "__ZN9IOService4initEv", dylib: 0 }],
};
const appCode: BundlePlan["executable"] = {
  minimumOS: "15.0",
  sdk: "15.4",
  dylibs: ["/System/Library/Frameworks/IOKit.framework/Versions/A/IOKit"],
  imports: [{ symbol: "_IOServiceOpen", dylib: 0 }],
};

/** A part as the files that its bundle would hold: Info.plist, signed Mach-O, embedded profile. */
export function signedFiles(part: SignedPart, more: Partial<BundlePlan> = {}): BundleFile[] {
  const { bundleIdentifier: identifier, profile, role, teamIdentifier } = part;
  const kind = role === "dext" ? "dext" : "app";
  return writeBundle({
    folder: `${identifier}.${kind}`,
    kind,
    identifier,
    teamIdentifier,
    info: {},
    executable: kind === "dext" ? driverCode : appCode,
    entitlements: part.claims,
    profile: profile === null ? null : profileFile(profile),
    sha256: (bytes) => new Uint8Array(createHash("sha256").update(bytes).digest()),
    ...more,
  });
}

/** A profile as its file: CMS around a property list with the DER in it. */
export function profileFile(profile: ProvisioningProfile): Uint8Array {
  return writeProfile({
    name: profile.name,
    uuid: profile.uuid,
    teamIdentifier: profile.teamIdentifiers[0] ?? sampleTeam,
    applicationIdentifier: profile.applicationIdentifier,
    platform: "OSX",
    created: profile.created,
    expires: profile.expires,
    devices: profile.devices,
    entitlements: profile.allowlist,
  });
}

/** Through all stages on macOS 15. */
export function rehearseSample(
  parts: Pick<RehearsalInput, "app" | "dext"> & Partial<RehearsalInput>,
): Rehearsal {
  return rehearse({
    tool: "xcode",
    platform: platformProfile("macos15"),
    serviceBundleIdentifier: parts.dext?.bundleIdentifier ?? sampleDriver,
    serviceClass: "SampleDriver",
    userClientClass: "SampleDriverUserClient",
    device: null,
    machine: { udid: sampleMac, date: sampleDate },
    ...parts,
  });
}

/** The first failure as one line; "every stage passes" when there is none. */
export function describeRehearsal(rehearsal: Rehearsal): string {
  const failed = rehearsal.verdicts.find(({ ok }) => ok === false);
  if (failed === undefined) return "every stage that can be judged passes";
  return `${failed.stage} of ${failed.bundleIdentifier}: ${failed.reason}; ${failed.lines.join(" | ")}`;
}
