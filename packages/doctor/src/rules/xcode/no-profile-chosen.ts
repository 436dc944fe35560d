// FX-NO-PROFILE: Xcode stops because a target has no profile chosen.

import { watch } from "../../evidence/watch.ts";
import { refused } from "../../facts/statement.ts";
import { spoken } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";

const required = watch(
  [
    "requires a provisioning profile",
    "No profiles for",
    "No profile for",
    "requires a development team",
    "No signing certificate",
    "doesn't support the",
    "cannot be located",
    "has expired",
  ],
  /"?([\w .-]{1,120}?)"? requires a provisioning profile(?: with the ([^.]{2,120}?) (?:features?|capabilit))?|No profiles? for (?:team )?'?"?([\w.*-]{2,255})'?"? (?:were|was|matching)|Signing for "([^"]{1,120})" requires a development team|No signing certificate "([^"]{1,80})" found|(?:[Pp]rovisioning profile "([^"]{1,120})" has expired)|SDK "(driverkit[\d.]*)" cannot be located|Personal development teams?[^.\n]{0,60} (?:do|does) not support (?:the )?([^.\n]{2,120}?) (?:capability|capabilities)/i,
);
/** "(in target 'Widget' from project 'Widget')" */
const target = /\(in target '([^']{1,120})'/;

export const noProfileChosen: Rule = {
  id: "FX-NO-PROFILE",
  title: "Xcode has no profile for a target",
  severity: "error",
  certainty: "established",
  source: "Xcode's messages",
  needs: ["log"],
  why: "The target claims a restricted entitlement, or is a driver extension, and such a target is signed only with a profile that allows it. None is chosen, or there is none for its App ID.",
  fix: [
    "Under Signing & Capabilities choose automatic signing with a paid team, or the profile for this target's own App ID.",
    "A personal team cannot sign driver extensions.",
  ],
  who: "you",
  states: refused("Xcode has no profile for the target"),
  watches: [required],
  judge(evidence) {
    return spoken(evidence, required).map(({ match, place }): Finding => {
      const [, name, features, bundle, unteamed, certificate, expired, sdk, capability] = match;
      const of = target.exec(place.text)?.[1] ?? name ?? unteamed ?? "";
      if (sdk !== undefined)
        return {
          score: 90,
          claim: `The chosen Xcode has no SDK "${sdk}": nothing of the driver was compiled.`,
          because: [place],
          about: [sdk],
          why: "Each Xcode ships one DriverKit SDK. SDKROOT names another one, or the command line tools are selected, which have none.",
          fix: [
            "xcode-select -p shows which Xcode builds; xcodebuild -showsdks which SDKs it has.",
            "Set SDKROOT to driverkit, without a version.",
          ],
        };
      const claim =
        expired !== undefined
          ? `The profile "${expired}" has expired${of === "" ? "" : ` (target ${of})`}: make a new one.`
          : unteamed !== undefined
            ? `No development team is chosen for target ${unteamed}.`
            : certificate !== undefined
              ? `There is no certificate "${certificate}" in the keychain of this Mac.`
              : capability !== undefined
                ? `A personal team cannot have ${capability}: it takes a paid team.`
                : bundle !== undefined
                  ? `No profile was found for ${bundle}${of === "" ? "" : ` (target ${of})`}: automatic signing with a paid team, or a profile for this App ID.`
                  : `No profile is chosen for target ${of}${features === undefined ? "" : `, which needs one with ${features}`}: automatic signing with a paid team, or a profile for its App ID.`;
      return {
        score: 90,
        claim,
        because: [place],
        about: [of || (bundle ?? "")].filter((word) => word !== ""),
      };
    });
  },
};
