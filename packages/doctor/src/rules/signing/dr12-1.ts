// DR12-1: the profile holds the entitlement with another value.

import { isDictionary, type PropertyValue } from "@drydock/core/runtime/properties";
import { watch } from "../../evidence/watch.ts";
import { listsOf, perHit } from "../questions.ts";
import type { Rule } from "../rule.ts";

const differs = watch(
  ["doesn't match the entitlements file", "match the entitlements file"],
  /match the entitlements file.s value for the (com\.apple\.[\w.-]{1,120}) entitlement/,
);

export const dr12x1: Rule = {
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
  watches: [differs],
  judge(evidence) {
    return perHit(evidence, differs, ({ match }) => {
      const key = match[1];
      const claims = listsOf(evidence, "entitlements").filter(({ value }) => key in value.value);
      const allowed = listsOf(evidence, "provisioning profile").flatMap(({ value }) => {
        const inside = value.value.Entitlements;
        return isDictionary(inside) && key in inside ? [inside[key]] : [];
      });
      const both =
        claims.length > 0 && allowed.length > 0
          ? ` Claimed: ${showValue(claims[0].value.value[key])}; authorised: ${showValue(allowed[0])}.`
          : "";
      return {
        score: 92,
        claim: `The profile has ${key} with another value than the entitlements file.${both}`,
        about: [key],
        missing: both === "" ? ["the decoded profile and the entitlements file"] : [],
      };
    });
  },
};

function showValue(value: PropertyValue): string {
  return JSON.stringify(value, (_key, item) => (item instanceof Uint8Array ? "data" : item)).slice(0, 200);
}
