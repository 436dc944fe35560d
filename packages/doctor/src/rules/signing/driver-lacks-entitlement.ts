// FX-NEEDS: a driver's entitlements lack one that the kernel asks for at its server, its provider or its family.

import { isDictionary, type Properties } from "@drydock/core/platform/properties";
import type { Fact } from "../../evidence/facts.ts";
import { absent } from "../../facts/statement.ts";
import {
  applicationIdentifierOf,
  coversBundle,
  driverKit,
  isDextEntitlements,
  listsOf,
} from "../../signing/entitlement-lists.ts";
import { bundleFolder } from "../../signing/parts.ts";
import { neededByFamily, neededByProvider } from "../property-lists.ts";
import type { Finding, Rule } from "../rule.ts";

type PropertyList = Fact<"property-list">;

export const driverLacksEntitlement: Rule = {
  id: "FX-NEEDS",
  title: "The driver's entitlements lack one that the kernel asks for",
  severity: "error",
  certainty: "established",
  source:
    "xnu-11417 IOUserServer: check at the server's start, checkEntitlements; IOServiceDEXTEntitlements of providers and families",
  needs: ["entitlements", "Info.plist"],
  why: "The kernel looks for com.apple.developer.driverkit when the driver's process starts, and for the entitlements that the provider and the kernel's class name when it attaches. Without one of them the process starts, is told to exit, and no error reaches an app.",
  fix: [
    "Add the key to the driver's .entitlements file, tick its capability on the driver's App ID, and generate the profile anew.",
  ],
  who: "you",
  judge(evidence) {
    const plistsIn = Map.groupBy(
      listsOf(evidence, "Info.plist").filter(({ value }) => personalitiesOf(value.value).length > 0),
      ({ place }) => bundleFolder(place.file),
    );
    return listsOf(evidence, "entitlements").flatMap((list): Finding[] => {
      const claims = list.value.value;
      if (!isDextEntitlements(claims)) return [];
      const found: Finding[] = [];
      const near = plistsIn.get(bundleFolder(list.place.file)) ?? [];
      const fits = near.filter((plist) => areOne(plist, list, near));
      const lacking = (key: string, because: string, places: Finding["because"]): void =>
        void found.push({
          score: 80,
          claim: `The driver's entitlements lack ${key}: ${because}`,
          because: [list.value.placeOf(""), ...places],
          about: [key],
          states: absent("list", `the driver holds ${key}`),
          fix: [
            `Add ${key} to the driver's .entitlements file, tick its capability on the driver's App ID, and generate the profile anew.`,
          ],
        });
      if (fits.length > 0 && !(driverKit in claims))
        lacking(driverKit, "the kernel refuses the server of a process without it.", []);
      for (const plist of fits)
        for (const [name, one] of personalitiesOf(plist.value.value)) {
          const place = plist.value.placeOf(`IOKitPersonalities/${name}`);
          const provider = neededByProvider[String(one.IOProviderClass)];
          const family = neededByFamily[String(one.IOClass)];
          if (provider !== undefined && !(provider in claims))
            lacking(
              provider,
              `the personality "${name}" stands on ${String(one.IOProviderClass)}, which asks for it.`,
              [place],
            );
          if (family !== undefined && !(family in claims))
            lacking(
              family,
              `the personality "${name}" is an ${String(one.IOClass)}, whose family asks for it.`,
              [place],
            );
        }
      return found.filter(
        ({ about }, index) => found.findIndex((other) => other.about?.[0] === about?.[0]) === index,
      );
    });
  },
};

function personalitiesOf(list: Properties): [string, Properties][] {
  const all = list.IOKitPersonalities;
  if (!isDictionary(all) || list.CFBundlePackageType === "KEXT") return [];
  return Object.entries(all).filter(
    (entry): entry is [string, Properties] =>
      isDictionary(entry[1]) && "IOUserClass" in entry[1] && typeof entry[1].IOUserServerName === "string",
  );
}

/**
 * `near` are the Info.plists of drivers in the folder of the list. A file of entitlements in the folder of the driver's Info.plist, or what its binary was signed with. Where several drivers lie in
 * one folder only the identifier that a signature claims says whose it is.
 */
function areOne(plist: PropertyList, list: PropertyList, near: readonly PropertyList[]): boolean {
  const claimed = applicationIdentifierOf(list.value.value);
  const own = plist.value.value.CFBundleIdentifier;
  if (claimed !== "" && !claimed.includes("$(") && typeof own === "string" && !own.includes("$("))
    return coversBundle(claimed, own);
  return near.length === 1;
}
