// DR04-1: AMFI refuses an entitlement that no profile authorises.

import { watch } from "../../evidence/watch.ts";
import { refused as refusedClaim } from "../../facts/statement.ts";
import { driverKit } from "../../signing/entitlement-lists.ts";
import { adviceFor } from "../../signing/rehearsal.ts";
import { onceFor } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";
import { judgedClaims, partName } from "../signing-evidence.ts";

const unsatisfied = watch(
  ["Unsatisfied entitlements"],
  /([\w.-]{3,255}): Unsatisfied entitlements: (\S.{0,500})/,
);
const kernelSaid = watch(
  ["Unsatisfied Entitlements:", "has restricted entitlements"],
  /mac_vnode_check_signature: (\S{1,400}?): .{0,400}?[Uu]nsatisfied [Ee]ntitlements: ([\w.,\s-]{3,300})|(?:mac_vnode_check_signature: (\S{1,400}?): ).{0,200}?has restricted entitlements, but the validation of its code signature failed/,
);
const amfi = watch(
  ["No matching profile found", "restricted entitlements"],
  /(?:(\/[^\s:]{1,400})(?: is)? not valid: .{0,120}?)?No matching profile found|bailing out because of restricted entitlements/,
);

/** A command line tool has no place where a profile could lie. */
const isBare = (path: string): boolean =>
  path.startsWith("/") && !/\.(?:app|dext|appex|xpc|systemextension)\//.test(path);

/** What to do where the path shows that it is a bare executable. */
function fixFor(path: string): Pick<Finding, "fix" | "why"> {
  if (!isBare(path)) return {};
  return {
    why: "A restricted entitlement counts only with an embedded provisioning profile that authorises it, and a bare executable has no place for one.",
    fix: [
      "Wrap the tool in an app bundle that embeds a profile (Contents/embedded.provisionprofile), and start the executable inside the bundle.",
      "Or take the restricted entitlement away from the tool.",
    ],
  };
}

export const entitlementNotAuthorised: Rule = {
  id: "DR04-1",
  title: "AMFI refuses an entitlement that no profile authorises",
  severity: "error",
  certainty: "established",
  source: "Apple TN3125; forum thread 744377",
  needs: ["log", "provisioning profile", "Mach-O"],
  why: "Every restricted entitlement that a signature claims must be authorised by the embedded provisioning profile: the same key, and for lists of dictionaries a value equal to an entry or a subset of it, with the same types. The profile's DER copy decides, not the XML that is shown.",
  fix: [
    "Decode the profile that is really embedded (security cms -D -i embedded.provisionprofile) and compare its Entitlements with what codesign -d --entitlements - prints, value by value.",
    "Regenerate the profile after every change in the portal; its App ID must be the bundle id in the log line.",
    "Keep two entitlement files: the wildcard form for development, your numbers for distribution.",
  ],
  who: "you",
  states: refusedClaim("AMFI does not start it with this entitlement"),
  watches: [unsatisfied, kernelSaid, amfi],
  judge(evidence) {
    const refused = judgedClaims(evidence).filter(
      ({ judgement }) => judgement.verdict !== "covered" && judgement.verdict !== "unrestricted",
    );
    const byKernel = evidence.hits(kernelSaid).map(({ match, place }): Finding => {
      const name = (match[1] ?? match[3]).split("/").pop() ?? "";
      const keys = match[2]?.trim().replace(/[.\s]+$/, "");
      return {
        score: 95,
        claim: `${name} claims ${keys === undefined ? "restricted entitlements" : keys}, and no profile of it authorises that; it is not started.`,
        because: [place],
        ...fixFor(match[1] ?? match[3]),
        about: [name, ...(keys === undefined ? [] : [keys])],
        missing: [`the profile embedded in ${name} and its signed entitlements`],
      };
    });
    if (byKernel.length > 0) return byKernel;
    const named = evidence.hits(unsatisfied).map(({ match, place }): Finding => {
      const own = refused.filter(
        ({ part, judgement }) =>
          part.bundleIdentifier === match[1] && match[2].split(/[\s,]+/).includes(judgement.key),
      );
      const details = own.map(
        ({ judgement, sides }) => ` ${judgement.key}: ${sides} (${judgement.verdict}).`,
      );
      return {
        score: own.length > 0 ? 98 : 95,
        claim: `${match[1]} claims ${match[2].trim()}, and no profile of it authorises that; it is not started.${details.join("")}`,
        because: [place, ...own.flatMap(({ because }) => because)],
        about: [match[1]],
        ...(own.length > 0 ? { fix: own.map(({ judgement }) => adviceFor(judgement, null)) } : {}),
        missing: own.length > 0 ? [] : [`the profile embedded in ${match[1]} and its signed entitlements`],
      };
    });
    const told = new Set(evidence.hits(unsatisfied).map(({ match }) => match[1]));
    // userclient-access has its own rules: there it is the build that fails.
    const silent = refused
      .filter(
        ({ part, judgement }) =>
          !told.has(part.bundleIdentifier) && judgement.key !== `${driverKit}.userclient-access`,
      )
      .map(
        ({ part, judgement, sides, because }): Finding => ({
          score: part.claimsFrom === "signature" ? 90 : 80,
          claim: `${partName(part)} will not be started: ${judgement.key} is ${sides} (${judgement.verdict}).`,
          because,
          fix: [adviceFor(judgement, null)],
          about: [part.bundleIdentifier],
        }),
      );
    if (named.length + silent.length > 0) return [...named, ...silent];
    return onceFor(evidence, amfi, (_first, hits) => {
      const path = hits.map(({ match }) => match[1]).find((word) => word !== undefined) ?? "";
      const name = path.split("/").at(-1) ?? "";
      return {
        score: 72,
        claim: `AMFI stopped ${name === "" ? "a program" : name} because its restricted entitlements are in no embedded profile.`,
        about: name === "" ? [] : [name],
        ...fixFor(path),
        missing: ['the line "Unsatisfied entitlements" of taskgated-helper, just before'],
      };
    });
  },
};
