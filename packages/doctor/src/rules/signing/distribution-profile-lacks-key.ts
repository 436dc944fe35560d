// NT-792031: a distribution profile lacks a key that the portal shows.

import { watch } from "../../evidence/watch.ts";
import { refused } from "../../facts/statement.ts";
import { spoken } from "../questions.ts";
import type { Rule } from "../rule.ts";

const upload = watch(
  ["TestFlight", "App Store Connect", "ITMS-", "distribution profile"],
  /\b(?:TestFlight|App Store Connect|ITMS-\d+|distribution profile)\b.{0,400}?\b(?:missing|lacks?|not (?:contain|include)d?|doesn.t (?:contain|include)|absent)\b.{0,200}?\b(?:entitlement|driverkit|capability|userclient|transport)/i,
);

export const distributionProfileLacksKey: Rule = {
  id: "NT-792031",
  title: "A distribution profile lacks a key that the portal shows",
  severity: "error",
  certainty: "likely",
  source: "forum thread 792031",
  needs: ["log", "provisioning profile"],
  why: "Development and distribution variants of an entitlement are separate. A build for TestFlight, the App Store or Developer ID is signed with a distribution profile, which holds a DriverKit key only when Apple approved it for distribution and the profile was made afterwards.",
  fix: [
    "Check that the distribution variant is approved for the team, and ticked on this App ID.",
    "Regenerate the distribution profile, decode it, and look at Entitlements.",
    "When a fresh profile lacks the key all the same, report it to Apple with the profile attached.",
  ],
  who: "your team's admin",
  states: refused("the upload or export was refused for an entitlement"),
  watches: [upload],
  judge(evidence) {
    const hits = spoken(evidence, upload);
    if (hits.length === 0) return [];
    return [
      {
        score: 62,
        claim:
          "A distribution profile lacks an entitlement that development builds have: it is approved and ticked separately.",
        because: hits.slice(0, 2).map((hit) => hit.place),
        missing: ["the distribution profile, decoded (security cms -D -i FILE)"],
      },
    ];
  },
};
