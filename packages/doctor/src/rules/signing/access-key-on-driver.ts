// DR12-4: userclient-access on the driver has no effect.

import { driverKit, isDextEntitlements, listsOf } from "../../signing/entitlement-lists.ts";
import type { Finding, Rule } from "../rule.ts";

export const accessKeyOnDriver: Rule = {
  id: "DR12-4",
  title: "userclient-access on the driver has no effect",
  severity: "warning",
  certainty: "established",
  source: "xnu-11417 IOUserServer::serviceNewUserClient",
  needs: ["entitlements"],
  why: "The kernel reads userclient-access from the task that opens, never from the driver.",
  fix: [
    "Move com.apple.developer.driverkit.userclient-access to the app, with the driver's bundle id as its value.",
  ],
  who: "you",
  judge(evidence) {
    const key = `${driverKit}.userclient-access`;
    return listsOf(evidence, "entitlements").flatMap(({ value }): Finding[] =>
      key in value.value && isDextEntitlements(value.value)
        ? [
            {
              score: 82,
              claim: "userclient-access is in the driver's entitlements; it is read from the app only.",
              because: [value.placeOf(key)],
            },
          ]
        : [],
    );
  },
};
