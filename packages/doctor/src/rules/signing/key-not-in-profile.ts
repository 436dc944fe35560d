// DR04-3: the profile lacks a key that the signature claims.

import { watch } from "../../evidence/watch.ts";
import { absent } from "../../facts/statement.ts";
import {
  allowlistOf,
  applicationIdentifierOf,
  coversBundle,
  listsOf,
} from "../../signing/entitlement-lists.ts";
import { spoken } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";

const unsatisfied = watch(
  ["Unsatisfied entitlements"],
  /([\w.-]{3,255}): Unsatisfied entitlements: (\S.{0,500})/,
);

export const keyNotInProfile: Rule = {
  id: "DR04-3",
  title: "The profile lacks a key that the signature claims",
  severity: "error",
  certainty: "established",
  source: "Apple TN3125; forum thread 792031",
  needs: ["log", "provisioning profile"],
  why: "A profile is a copy of what the App ID had when the profile was made. A capability that was ticked or approved later is shown by the portal, but not held by the older profile; or the profile belongs to another App ID.",
  fix: [
    "Check that the App ID of the profile is the one on which the capability is ticked.",
    "Regenerate the profile, download it, and look at its Entitlements before you build again (security cms -D -i FILE).",
    "When a fresh profile still lacks a key that the portal shows, report it to Apple with the profile attached.",
  ],
  who: "your team's admin",
  states: absent("profile", "the claimed key"),
  watches: [unsatisfied],
  judge(evidence) {
    const profiles = listsOf(evidence, "provisioning profile");
    return spoken(evidence, unsatisfied).flatMap(({ match, place }): Finding[] => {
      const own = profiles.filter((profile) =>
        coversBundle(applicationIdentifierOf(allowlistOf(profile)), match[1]),
      );
      return match[2].split(/[\s,]+/).flatMap((claimed): Finding[] => {
        const lacking = own.find((profile) => !(claimed in allowlistOf(profile)));
        if (!claimed.startsWith("com.apple.") || lacking === undefined) return [];
        return [
          {
            score: 97,
            claim: `${match[1]} claims ${claimed}, and its profile does not hold that key at all; if the portal shows it, the profile is older than the capability.`,
            because: [place, lacking.value.placeOf("Entitlements")],
            about: [match[1], claimed],
          },
        ];
      });
    });
  },
};
