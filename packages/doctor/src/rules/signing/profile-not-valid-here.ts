// DR04-6: the profile is not valid for this program, this Mac or this day.

import type { Evidence } from "../../evidence/evidence.ts";
import { watch } from "../../evidence/watch.ts";
import {
  allowlistOf,
  applicationIdentifierOf,
  areRelated,
  coversBundle,
  listsOf,
} from "../../signing/entitlement-lists.ts";
import { provisioningUdidLine } from "../../signing/this-mac.ts";
import { spoken } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";

const refused = watch(
  ["Unsatisfied entitlements", "No matching profile found", "restricted entitlements"],
  /(?:([\w.-]{3,255}): )?Unsatisfied entitlements|No matching profile found|because of restricted entitlements/,
);
export const profileNotValidHere: Rule = {
  id: "DR04-6",
  title: "The profile is not valid for this program, this Mac or this day",
  severity: "error",
  certainty: "established",
  source: "Apple TN3125",
  needs: ["provisioning profile", "log"],
  why: "A profile counts only for the bundle that its application identifier covers, until its expiration date, and (a development or ad hoc one) on the devices that it lists.",
  fix: [
    "Make a profile for the App ID of this very bundle.",
    "Register this Mac's Provisioning UDID with the team and regenerate the profile.",
    "Replace an expired profile, and sign again.",
  ],
  who: "your team's admin",
  watches: [refused, provisioningUdidLine],
  judge(evidence) {
    const failed = spoken(evidence, refused);
    const machines = spoken(evidence, provisioningUdidLine);
    const findings: Finding[] = [];
    for (const profile of listsOf(evidence, "provisioning profile")) {
      const { value } = profile.value;
      const name = typeof value.Name === "string" ? `The profile "${value.Name}"` : "The profile";
      const identifier = applicationIdentifierOf(allowlistOf(profile));
      const wanted = failed.find(
        ({ match }) =>
          match[1] !== undefined &&
          identifier !== "" &&
          !coversBundle(identifier, match[1]) &&
          areRelated(identifier.replace(/^[A-Z0-9]{10}\./, "").replace(/\.?\*$/, ""), match[1]),
      );
      if (wanted !== undefined && isOnlyProfile(evidence, wanted.match[1]))
        findings.push({
          score: 93,
          claim: `${name} is for ${identifier}, which does not cover ${wanted.match[1]}.`,
          because: [wanted.place, profile.value.placeOf("Entitlements")],
          about: [wanted.match[1]],
        });
      const expires = typeof value.ExpirationDate === "string" ? value.ExpirationDate : "";
      const late = failed.find(
        ({ row }) => expires !== "" && row.time !== "" && dayOf(row.time) > dayOf(expires),
      );
      if (late !== undefined)
        findings.push({
          score: 93,
          claim: `${name} expired on ${dayOf(expires)}, and the program was started on ${dayOf(late.row.time)}.`,
          because: [late.place, profile.value.placeOf("ExpirationDate")],
        });
      const devices = value.ProvisionedDevices;
      const absent = machines.find(
        ({ match }) =>
          Array.isArray(devices) &&
          !devices.some((id) => typeof id === "string" && id.toLowerCase() === match[1].toLowerCase()),
      );
      if (absent !== undefined)
        findings.push({
          score: failed.length > 0 ? 94 : 80,
          claim: `${name} lists ${Array.isArray(devices) ? devices.length : 0} devices, and this Mac (${absent.match[1]}) is none of them.`,
          because: [absent.place, profile.value.placeOf("ProvisionedDevices")],
        });
    }
    return findings;
  },
};

/** "2025-10-01" of a log's or a property list's time. */
function dayOf(time: string): string {
  return time.slice(0, 10);
}

/** No profile of the evidence covers this bundle. */
function isOnlyProfile(evidence: Evidence, bundleIdentifier: string): boolean {
  return listsOf(evidence, "provisioning profile").every(
    (profile) => !coversBundle(applicationIdentifierOf(allowlistOf(profile)), bundleIdentifier),
  );
}
