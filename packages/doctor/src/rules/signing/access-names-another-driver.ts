// DR12-6: the driver that userclient-access names is not the one that runs.

import type { Place } from "../../facts/evidence-source.ts";
import { areRelated, driverKit } from "../../signing/entitlement-lists.ts";
import { claimPlace, evidenceParts } from "../../signing/parts.ts";
import { personalities, stringsOf } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";

const key = `${driverKit}.userclient-access`;

export const accessNamesAnotherDriver: Rule = {
  id: "DR12-6",
  title: "The driver that userclient-access names is not the one that runs",
  severity: "error",
  certainty: "established",
  source: "xnu-11417 IOUserServer::serviceNewUserClient",
  needs: ["entitlements", "provisioning profile", "registry dump", "Info.plist"],
  why: "The kernel compares each element of the app's userclient-access with the CFBundleIdentifier property of the service, which comes from the personality. The bundle id of the extension, of the app or of an earlier version of the driver is not looked at.",
  fix: [
    "Make the three equal: the approved list in the app's profile, the claim of the app, CFBundleIdentifier of the personality.",
    "When the approved list is wrong, ask Apple to correct it; for development use allow-any-userclient-access on the driver.",
  ],
  who: "you",
  judge(evidence) {
    const running = services(evidence);
    if (running.length === 0) return [];
    const findings: Finding[] = [];
    const seen = new Set<string>();
    const compare = (names: readonly string[], whose: string, app: string, place: Place, score: number) => {
      const wanted = names.filter((name) => !name.includes("\n"));
      if (wanted.length === 0 || wanted.some((name) => running.some(({ id }) => fits(id, name)))) return;
      // Two products side by side: the driver of another one says nothing about this app.
      const own = running.filter(({ id }) => [app, ...wanted].some((name) => areRelated(id, name)));
      if (own.length === 0) return;
      const ids = [...new Set(own.map(({ id }) => id))].slice(0, 5).join(", ");
      const claim = `${whose} names ${wanted.join(", ")} in userclient-access, and the driver's CFBundleIdentifier is ${ids}.`;
      if (seen.has(claim)) return;
      seen.add(claim);
      findings.push({
        score,
        claim,
        because: [place, ...own.slice(0, 3).map((entry) => entry.place)],
        about: wanted,
      });
    };
    for (const part of evidenceParts(evidence)) {
      if (part.role === "dext") continue;
      compare(
        stringsOf(part.claims?.[key]),
        `The app ${part.bundleIdentifier}`.trim(),
        part.bundleIdentifier,
        claimPlace(part, key),
        88,
      );
      const profile = part.profile?.value.profile;
      if (profile !== undefined && part.profile !== null)
        compare(
          stringsOf(profile.allowlist[key]),
          `The profile "${profile.name}"`,
          part.bundleIdentifier,
          part.profile.place,
          87,
        );
    }
    return findings;
  },
};

function fits(id: string, name: string): boolean {
  return name.endsWith("*") ? id.startsWith(name.slice(0, -1)) : id === name;
}

/** Services of drivers that are not Apple's: in the registry, otherwise those that an Info.plist would make. */
function services(evidence: Parameters<Rule["judge"]>[0]): { readonly id: string; readonly place: Place }[] {
  const live = evidence.facts("registry-entry").flatMap(({ value }) => {
    const id = value.properties.CFBundleIdentifier;
    const isDriver = "IOUserClass" in value.properties || "IOUserServerName" in value.properties;
    return isDriver && typeof id === "string" && !id.startsWith("com.apple.")
      ? [{ id, place: value.placeOf("CFBundleIdentifier") }]
      : [];
  });
  if (live.length > 0) return live;
  return personalities(evidence).flatMap(({ value, placeOf }) => {
    const id = value.CFBundleIdentifier;
    return "IOUserClass" in value && typeof id === "string" && !id.includes("$(")
      ? [{ id, place: placeOf("CFBundleIdentifier") }]
      : [];
  });
}
