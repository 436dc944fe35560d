// FX-EDITED: a readable copy says something else than the DER that counts.

import { showProperty } from "@drydock/core/platform/match-verdict";
import type { Finding, Rule } from "../rule.ts";

export const readableCopyDiffers: Rule = {
  id: "FX-EDITED",
  title: "A readable copy of entitlements says something else than the DER that counts",
  severity: "error",
  certainty: "established",
  source: "Apple TN3125",
  needs: ["provisioning profile", "Mach-O"],
  why: "Profiles and signatures hold their entitlements twice: as a property list for people and old systems, and as DER, which current systems go by. Tools that change the list and leave the DER change nothing.",
  fix: [
    "Do not edit a profile: change the App ID in the portal and generate it anew.",
    "Sign again with a tool that writes both forms (codesign of Xcode 13 or later, with --generate-entitlement-der where it asks for it).",
  ],
  who: "you",
  judge(evidence) {
    const profiles = evidence.facts("profile").flatMap(({ value: { profile }, place }): Finding[] => {
      if (profile.editedKeys.length === 0) return [];
      const key = profile.editedKeys[0];
      const more = profile.editedKeys.length > 1 ? ` (and ${profile.editedKeys.length - 1} more keys)` : "";
      return [
        {
          score: 89,
          claim: `The readable copy in the profile "${profile.name}" says ${key} = ${showProperty(profile.plistEntitlements[key])}, its DER says ${showProperty(profile.allowlist[key])}${more}; the DER counts.`,
          because: [place],
          about: profile.editedKeys,
        },
      ];
    });
    const signatures = evidence.facts("executable").flatMap(({ value, place }): Finding[] => {
      const keys = value.signed?.differingKeys ?? [];
      if (keys.length === 0) return [];
      return [
        {
          score: 88,
          claim: `The signature of ${value.directory?.identifier ?? place.file} has two different sets of entitlements: ${keys.join(", ")}; the DER counts.`,
          because: [place],
          about: keys,
        },
      ];
    });
    return [...profiles, ...signatures];
  },
};
