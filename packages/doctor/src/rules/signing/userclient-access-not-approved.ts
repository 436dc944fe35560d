// DR12-2: the profile does not include userclient-access: it needs Apple's approval.

import { watch } from "../../evidence/watch.ts";
import { refused } from "../../facts/statement.ts";
import { driverKit } from "../../signing/entitlement-lists.ts";
import { perHit } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";
import { judgedClaims, partName } from "../signing-evidence.ts";

const lacks = watch(
  ["doesn't include", "requires approval from Apple"],
  /doesn.t include the (DriverKit [\w ]{1,80}?) capability|Entitlement (com\.apple\.developer\.driverkit\.[\w.-]{1,80}) requires approval from Apple|doesn.t include the (com\.apple\.developer\.driverkit\.[\w.-]{1,80}) entitlement/,
);

export const userclientAccessNotApproved: Rule = {
  id: "DR12-2",
  title: "The profile does not include userclient-access: it needs Apple's approval",
  severity: "error",
  certainty: "established",
  source: "Xcode's messages; the portal's capability lists",
  needs: ["log", "entitlements", "provisioning profile"],
  why: "DriverKit UserClient Access is a capability request; it has no development variant. Until Apple approves it for the team and it is ticked on the App ID, no profile holds the key.",
  fix: [
    "For development put com.apple.developer.driverkit.allow-any-userclient-access on the driver (self-service), and leave userclient-access out of the app.",
    "For distribution request DriverKit UserClient Access naming the driver's bundle id, tick it on the app's App ID, regenerate the profile.",
  ],
  who: "your team's admin",
  states: refused("the profile does not include userclient-access"),
  watches: [lacks],
  judge(evidence) {
    const said = perHit(evidence, lacks, ({ match }) => {
      const what = match[1] ?? match[2] ?? match[3];
      const isUserClient = /UserClient Access|userclient-access/.test(what);
      return {
        score: isUserClient ? 94 : 76,
        claim: isUserClient
          ? "The app's profile does not include userclient-access; it must be requested from Apple, and there is no development variant."
          : `The profile does not include ${what}.`,
        about: [what],
        ...(isUserClient
          ? {}
          : {
              why: "Xcode compares the entitlements file with the profile: a key that the App ID does not have is in none of its profiles.",
              fix: [`Tick ${what} on the App ID (or request it), regenerate the profile, and build again.`],
            }),
      };
    });
    if (said.length > 0) return said;
    return judgedClaims(evidence)
      .filter(
        ({ judgement }) =>
          judgement.key === `${driverKit}.userclient-access` && judgement.allowed === undefined,
      )
      .map(
        ({ part, because }): Finding => ({
          score: 91,
          claim: `${partName(part)} claims userclient-access, and its profile "${part.profile?.value.profile.name}" does not have the key; it must be requested from Apple, and there is no development variant.`,
          because,
          about: [part.bundleIdentifier],
        }),
      );
  },
};
