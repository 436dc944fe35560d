// DR12-5: several bundle ids stand in one string.

import type { PropertyValue } from "@drydock/core/platform/properties";
import { driverKit, listsOf } from "../../signing/entitlement-lists.ts";
import { stringsOf } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";

export const idsInOneString: Rule = {
  id: "DR12-5",
  title: "Several bundle ids stand in one string",
  severity: "warning",
  certainty: "established",
  source: "xnu-11417 IOUserServer::serviceNewUserClient",
  needs: ["entitlements", "provisioning profile"],
  why: "The kernel compares each element as a whole. A string with line breaks equals no bundle id (forum thread 825971).",
  fix: [
    "Ask Apple to store the ids one by one.",
    "Until then use allow-any-userclient-access (development) on the driver.",
  ],
  who: "your team's admin",
  judge(evidence) {
    const key = `${driverKit}.userclient-access`;
    const isJoined = (value: PropertyValue | undefined) =>
      stringsOf(value).some((item) => item.includes("\n"));
    const claimed = listsOf(evidence, "entitlements").flatMap(({ value }): Finding[] =>
      isJoined(value.value[key])
        ? [
            {
              score: 90,
              claim:
                "A value of userclient-access holds a line break, so no element equals a bundle id; the portal stored several ids as one string.",
              because: [value.placeOf(key)],
            },
          ]
        : [],
    );
    const allowed = evidence.facts("profile").flatMap(({ value: { profile }, place }): Finding[] =>
      isJoined(profile.allowlist[key])
        ? [
            {
              score: 93,
              claim: `The profile "${profile.name}" holds several bundle ids of userclient-access in one string, so no claim can equal one of them: the portal stored them wrongly.`,
              because: [place],
              who: "Apple",
            },
          ]
        : [],
    );
    return [...allowed, ...claimed];
  },
};
