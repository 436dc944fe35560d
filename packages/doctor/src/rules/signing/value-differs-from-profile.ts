// DR12-1: the profile holds the entitlement with another value.

import { watch } from "../../evidence/watch.ts";
import { refused } from "../../facts/statement.ts";
import { driverKit } from "../../signing/entitlement-lists.ts";
import { isStrictlyCovered } from "../../signing/rehearsal.ts";
import { perHit } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";
import { judgedClaims, partName } from "../signing-evidence.ts";

const differs = watch(
  ["doesn't match the entitlements file", "match the entitlements file"],
  /match the entitlements file.s value for the (com\.apple\.[\w.-]{1,120}) entitlement/,
);

export const valueDiffersFromProfile: Rule = {
  id: "DR12-1",
  title: "The profile holds the entitlement with another value",
  severity: "error",
  certainty: "established",
  source: "Xcode's messages; the portal's capability lists",
  needs: ["log", "entitlements", "provisioning profile"],
  why: "\"Doesn't match\" means that the profile has the key with another value. For userclient-access that value is the list which Apple approved for the team; the entitlements file must equal it or be a subset: normally the driver's bundle id, exactly, in an array.",
  fix: [
    "Decode the profile (security cms -D -i FILE) and copy the array of com.apple.developer.driverkit.userclient-access from it into the entitlements file.",
    "If the array holds the app's id, another driver's, or several ids in one string, ask Apple to correct the request.",
    "For development leave the key out of the app and put allow-any-userclient-access on the driver.",
  ],
  who: "your team's admin",
  states: refused("the profile holds another value"),
  watches: [differs],
  judge(evidence) {
    const judged = judgedClaims(evidence).filter(
      ({ judgement }) => judgement.allowed !== undefined && !isStrictlyCovered(judgement),
    );
    const said = perHit(evidence, differs, ({ match }) => {
      const own = judged.find(({ judgement }) => judgement.key === match[1]);
      return {
        score: own === undefined ? 92 : 95,
        claim: `The profile has ${match[1]} with another value than the entitlements file.${own === undefined ? "" : ` ${partName(own.part)}: ${own.sides} (${own.judgement.reason}).`}`,
        about: [match[1]],
        missing: own === undefined ? ["the profile and the entitlements file"] : [],
      };
    });
    if (said.length > 0) return said;
    return judged
      .filter(({ judgement }) => judgement.key === `${driverKit}.userclient-access`)
      .map(
        ({ part, judgement, sides, because }): Finding => ({
          score: 90,
          claim: `Xcode will refuse to build: the profile of ${part.bundleIdentifier || "the app"} has userclient-access with another value: ${sides} (${judgement.reason}).`,
          because,
          about: [part.bundleIdentifier],
        }),
      );
  },
};
