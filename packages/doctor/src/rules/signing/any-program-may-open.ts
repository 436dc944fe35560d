// DR12-7: allow-any-userclient-access lets every program open the driver.

import { driverKit, isDextEntitlements, listsOf } from "../../signing/entitlement-lists.ts";
import { claimPlace, evidenceParts } from "../../signing/parts.ts";
import type { Finding, Rule } from "../rule.ts";

export const anyProgramMayOpen: Rule = {
  id: "DR12-7",
  title: "allow-any-userclient-access lets every program open the driver",
  severity: "warning",
  certainty: "established",
  source: "xnu-11417 IOUserServer::serviceNewUserClient",
  needs: ["entitlements"],
  why: "The kernel tests only whether the key is there; false admits everybody too. Every process on the machine may then open the user client.",
  fix: ["Keep the key out of what you ship; use userclient-access on the app."],
  who: "you",
  judge(evidence) {
    const key = `${driverKit}.allow-any-userclient-access`;
    const shipped = evidenceParts(evidence).find(
      ({ claims, profile }) =>
        claims !== null && key in claims && profile?.value.profile.kind === "developer id or in-house",
    );
    if (shipped !== undefined)
      return [
        {
          score: 76,
          claim: `The driver ${shipped.bundleIdentifier} is signed for distribution with allow-any-userclient-access: any program on the Mac may open it.`,
          because: [claimPlace(shipped, key)],
          about: [shipped.bundleIdentifier],
        },
      ];
    return listsOf(evidence, "entitlements").flatMap(({ value }): Finding[] =>
      key in value.value && isDextEntitlements(value.value)
        ? [
            {
              score: value.value[key] === false ? 70 : 44,
              claim:
                value.value[key] === false
                  ? "allow-any-userclient-access is false, and still admits every program: only its presence counts."
                  : "The driver admits every program on the machine; do not ship it so.",
              because: [value.placeOf(key)],
            },
          ]
        : [],
    );
  },
};
