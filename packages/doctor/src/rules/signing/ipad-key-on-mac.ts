// DR12-3: communicates-with-drivers has no effect on macOS.

import { driverKit, isDextEntitlements, listsOf } from "../../signing/entitlement-lists.ts";
import { claimPlace, evidenceParts } from "../../signing/parts.ts";
import type { Finding, Rule } from "../rule.ts";

export const ipadKeyOnMac: Rule = {
  id: "DR12-3",
  title: "communicates-with-drivers has no effect on macOS",
  severity: "warning",
  certainty: "established",
  source: "xnu-11417 IOUserServer::serviceNewUserClient",
  needs: ["entitlements"],
  why: "On macOS the kernel looks at the driver's allow-any-userclient-access or the app's userclient-access. communicates-with-drivers is read by the iPadOS kernel only.",
  fix: [
    "For macOS use userclient-access on the app, or allow-any-userclient-access on the driver for development.",
  ],
  who: "you",
  judge(evidence) {
    const key = `${driverKit}.communicates-with-drivers`;
    const forMac = evidenceParts(evidence).filter(
      ({ role, claims, profile }) =>
        role !== "dext" &&
        claims !== null &&
        key in claims &&
        !(`${driverKit}.userclient-access` in claims) &&
        profile?.value.profile.platforms.join() === "OSX",
    );
    if (forMac.length > 0)
      return forMac.map((part) => ({
        score: 62,
        claim: `The app ${part.bundleIdentifier} is made for macOS and holds communicates-with-drivers, which only iPadOS looks at: it lets nobody open the driver.`,
        because: [claimPlace(part, key)],
        about: [part.bundleIdentifier],
      }));
    // A driver that admits everybody needs no other key on a Mac: the app is made for both, as Apple's samples are.
    const lists = listsOf(evidence, "entitlements");
    const admitsAll = lists.some(({ value }) => `${driverKit}.allow-any-userclient-access` in value.value);
    return lists.flatMap(({ value }): Finding[] =>
      key in value.value &&
      !admitsAll &&
      value.target?.isForIpad !== true &&
      !isDextEntitlements(value.value) &&
      !(`${driverKit}.userclient-access` in value.value)
        ? [
            {
              score: 48,
              claim:
                "The app holds communicates-with-drivers, which only iPadOS looks at; on macOS it does nothing.",
              because: [value.placeOf(key)],
            },
          ]
        : [],
    );
  },
};
