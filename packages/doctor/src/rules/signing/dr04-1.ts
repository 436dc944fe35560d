// DR04-1: AMFI refuses an entitlement that no profile authorises.

import { watch } from "../../evidence/watch.ts";
import { onceFor, perHit } from "../questions.ts";
import type { Rule } from "../rule.ts";

const unsatisfied = watch(
  ["Unsatisfied entitlements"],
  /([\w.-]{3,255}): Unsatisfied entitlements: (\S.{0,500})/,
);
const amfi = watch(
  ["No matching profile found", "restricted entitlements"],
  /No matching profile found|bailing out because of restricted entitlements/,
);

export const dr04x1: Rule = {
  id: "DR04-1",
  title: "AMFI refuses an entitlement that no profile authorises",
  severity: "error",
  certainty: "established",
  source: "Apple TN3125; forum thread 744377",
  needs: ["log"],
  why: "Every restricted entitlement that a signature claims must be authorised by the embedded provisioning profile: the same key, and for lists of dictionaries a value equal to an entry or a subset of it, with the same types. The profile's DER copy decides, not the XML that is shown.",
  fix: [
    "Decode the profile that is really embedded (security cms -D -i embedded.provisionprofile) and compare its Entitlements with what codesign -d --entitlements - prints, value by value.",
    "Regenerate the profile after every change in the portal; its App ID must be the bundle id in the log line.",
    "Keep two entitlement files: the wildcard form for development, your numbers for distribution.",
  ],
  who: "you",
  watches: [unsatisfied, amfi],
  judge(evidence) {
    const named = perHit(evidence, unsatisfied, ({ match }) => ({
      score: 95,
      claim: `${match[1]} claims ${match[2].trim()}, and its profile does not authorise that; it is not started.`,
      about: [match[1]],
      missing: [`the profile embedded in ${match[1]} and its signed entitlements`],
    }));
    if (named.length > 0) return named;
    return onceFor(evidence, amfi, () => ({
      score: 72,
      claim: "AMFI stopped a program because its restricted entitlements are in no embedded profile.",
      missing: ['the line "Unsatisfied entitlements" of taskgated-helper, just before'],
    }));
  },
};
