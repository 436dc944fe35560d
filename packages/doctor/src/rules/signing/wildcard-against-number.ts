// DR04-2: a development profile authorises a wildcard, the claim names a number.

import { isDictionary, type PropertyValue } from "@drydock/core/platform/properties";
import {
  allowlistOf,
  applicationIdentifierOf,
  coversBundle,
  driverKit,
  listsOf,
} from "../../signing/entitlement-lists.ts";
import type { Finding, Rule } from "../rule.ts";

const key = `${driverKit}.transport.usb`;

/** What two projects saw in profiles is the string *; a missing key and a boolean would be as wide. */
function isWildcard(value: PropertyValue | undefined): boolean {
  return value === "*" || value === true || value === undefined;
}

export const wildcardAgainstNumber: Rule = {
  id: "DR04-2",
  title: "A development profile authorises a wildcard, the claim names a number",
  severity: "error",
  certainty: "likely",
  source: "Apple's guide to signing driver extensions (thread 809202); two public projects",
  needs: ["provisioning profile", "entitlements"],
  why: "The development variant of the USB transport entitlement stands in profiles with a wildcard for idVendor. A claim with a number is no equal of it, so the build or the launch fails although the profile looks wider.",
  fix: [
    "Keep two entitlement files: in development claim idVendor exactly as the development profile has it, the string *.",
    "Claim your number only in the build that is signed with the distribution profile.",
  ],
  who: "you",
  judge(evidence) {
    const wide = listsOf(evidence, "provisioning profile").filter((profile) => {
      const list = allowlistOf(profile)[key];
      return Array.isArray(list) && list.some((item) => isDictionary(item) && isWildcard(item.idVendor));
    });
    if (wide.length === 0) return [];
    return listsOf(evidence, "entitlements").flatMap(({ value }): Finding[] => {
      const claim = value.value[key];
      if (!Array.isArray(claim)) return [];
      const bundle = applicationIdentifierOf(value.value);
      // The two files may belong to different drivers, as far as both say for which they are.
      const own = wide.find((profile) => {
        const covered = applicationIdentifierOf(allowlistOf(profile));
        return (
          bundle === "" || covered === "" || coversBundle(covered, bundle.replace(/^[A-Z0-9]{10}\./, ""))
        );
      });
      if (own === undefined) return [];
      return claim.flatMap((item, index): Finding[] =>
        isDictionary(item) && typeof item.idVendor === "number"
          ? [
              {
                score: 85,
                claim: `The entitlement claims idVendor ${item.idVendor} (0x${item.idVendor.toString(16)}), and the profile authorises a wildcard: that is a development profile.`,
                because: [
                  value.placeOf(`${key}/${index}/idVendor`),
                  own.value.placeOf(`Entitlements/${key}`),
                ],
                about: [key],
              },
            ]
          : [],
      );
    });
  },
};
