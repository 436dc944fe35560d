// FX-BASE: the driver lacks com.apple.developer.driverkit.

import { watch } from "../../evidence/watch.ts";
import { refused as refusedClaim } from "../../facts/statement.ts";
import { spoken } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";

const refused = watch(
  ["entitlement check failed for"],
  /com\.apple\.developer\.driverkit entitlement check failed for (\S{1,200}?)\[(\d{1,9})\]/,
);

export const baseEntitlementMissing: Rule = {
  id: "FX-BASE",
  title: "The driver lacks com.apple.developer.driverkit",
  severity: "error",
  certainty: "established",
  source: "xnu-11417 IOUserServer: entitlement of the server process",
  needs: ["log"],
  why: "Every driver extension must hold the base entitlement com.apple.developer.driverkit; it is checked when its process registers with the kernel.",
  fix: [
    "Put com.apple.developer.driverkit = true into the driver's entitlements, and tick DriverKit on its App ID.",
    "Look at the entitlements of the built driver (codesign -d --entitlements - --xml PATH).",
  ],
  who: "you",
  states: refusedClaim("the kernel takes no driver without the base entitlement"),
  watches: [refused],
  judge(evidence) {
    return spoken(evidence, refused).map(
      ({ match, place }): Finding => ({
        score: 95,
        claim: `${match[1]} does not hold com.apple.developer.driverkit, so the kernel takes no driver from it.`,
        because: [place],
        about: [match[1]],
      }),
    );
  },
};
