// The packages that the signing cases sign: an app, its driver, their profiles, and a rehearsal of all of it.

import { platformProfile } from "@drydock/core/runtime/platform-profile";
import type { Properties } from "@drydock/core/runtime/properties";
import type { ProvisioningProfile } from "@drydock/doctor/signing/profile";
import {
  type Rehearsal,
  type RehearsalInput,
  rehearse,
  type SignedPart,
} from "@drydock/doctor/signing/rehearsal";

export const sampleTeam = "SAMPLE1234";
export const sampleApp = "org.drydock.sample.app";
export const sampleDriver = "org.drydock.sample.app.driver";
export const sampleDate = "2025-10-01T00:00:00Z";
const sampleMac = "00008103-001A2B3C4D5E6F70";

/** A development profile for a bundle of the sample's team, valid on the sample's Mac. */
export function sampleProfile(bundleIdentifier: string, allowlist: Properties): ProvisioningProfile {
  return {
    name: `Sample profile of ${bundleIdentifier}`,
    uuid: "5c9a9c2e-7a55-4c7e-9d2b-2f6f0f3a1b10",
    teamIdentifiers: [sampleTeam],
    applicationIdentifier: `${sampleTeam}.${bundleIdentifier}`,
    platforms: ["OSX"],
    created: "2025-09-01T00:00:00Z",
    expires: "2026-09-01T00:00:00Z",
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

export function samplePart(
  role: SignedPart["role"],
  claims: Properties,
  allowlist: Properties,
  more: Partial<SignedPart> = {},
): SignedPart {
  const bundleIdentifier = role === "dext" ? sampleDriver : sampleApp;
  const profile = sampleProfile(bundleIdentifier, allowlist);
  return { role, bundleIdentifier, teamIdentifier: sampleTeam, claims, profile, ...more };
}

/** Through all stages on macOS 15. */
export function rehearseSample(
  parts: Pick<RehearsalInput, "app" | "dext"> & Partial<RehearsalInput>,
): Rehearsal {
  return rehearse({
    tool: "xcode",
    platform: platformProfile("macos15"),
    serviceBundleIdentifier: sampleDriver,
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
