// DR03-3: the driver promises systems that lack methods which its SDK gave it.

import {
  compareVersions,
  slotsOfSubclass,
  systemOfDriverKit,
} from "@drydock/core/platform/driverkit-symbols";
import { isDictionary } from "@drydock/core/platform/properties";
import { importGate } from "../../signing/import-gate.ts";
import { evidenceParts } from "../../signing/parts.ts";
import type { Finding, Rule } from "../rule.ts";

const controller = "IOUserSCSIParallelInterfaceController";

export const promisedSystemTooOld: Rule = {
  id: "DR03-3",
  title: "The driver promises systems that lack methods which its SDK gave it",
  severity: "error",
  certainty: "likely",
  source: "macOS 15.4 release notes; reasoning from class descriptions",
  needs: ["Mach-O", "Info.plist"],
  why: "The minimum system of a driver is decided by the SDK it was built with, per family class that it derives from, not by the deployment target alone: every method of the superclass in that SDK is a strong import.",
  fix: [
    "Build the driver for the older systems with the SDK of the oldest of them, or raise its minimum system.",
    "Let drydock check MyDriver.dext --min-os VERSION run on every build.",
  ],
  who: "you",
  judge(evidence) {
    return evidenceParts(evidence).flatMap((part): Finding[] => {
      if (part.role !== "dext") return [];
      for (const { value, place } of part.executables) {
        const build = value.slice?.build;
        if (value.slice === null || build == null || build.platform !== "DriverKit") continue;
        const { missing } = importGate(value.slice, build.minimumOS);
        if (missing.length === 0) continue;
        const newest = missing.reduce(
          (most, { since }) => (compareVersions(since, most) > 0 ? since : most),
          "0",
        );
        return [
          {
            score: 91,
            claim: `${part.bundleIdentifier || place.file} promises ${systemOfDriverKit(build.minimumOS)} and later, and imports ${missing.length} symbols that came later (the first: ${missing[0].wanted.symbol}, ${systemOfDriverKit(missing[0].since)}); it was built with SDK ${build.sdk} and starts from ${systemOfDriverKit(newest)} on.`,
            because: [place],
            about: [part.bundleIdentifier],
          },
        ];
      }
      return fromInfoPlist(part);
    });
  },
};

/** Without an executable: what the bundle says of its SDK, its minimum system and its class. */
function fromInfoPlist({
  infoPlist,
  bundleIdentifier,
  executables,
}: ReturnType<typeof evidenceParts>[number]): Finding[] {
  if (infoPlist === null || executables.length > 0) return [];
  const { value } = infoPlist.value;
  const sdk = /^driverkit(\d{1,3}\.\d{1,2})$/.exec(String(value.DTSDKName))?.[1];
  const minimum = value.OSMinimumDriverKitVersion;
  const personalities = isDictionary(value.IOKitPersonalities) ? Object.values(value.IOKitPersonalities) : [];
  const isController = personalities.some((entry) => isDictionary(entry) && entry.IOClass === controller);
  if (sdk === undefined || typeof minimum !== "string" || !isController) return [];
  const newer = slotsOfSubclass(controller, sdk).length - slotsOfSubclass(controller, minimum).length;
  if (newer <= 0) return [];
  return [
    {
      score: 82,
      claim: `${bundleIdentifier} is a subclass of ${controller}, built with SDK ${sdk} for ${minimum} and later: the older system lacks ${newer} methods of that class.`,
      because: [infoPlist.value.placeOf("DTSDKName"), infoPlist.value.placeOf("OSMinimumDriverKitVersion")],
      about: [bundleIdentifier],
      missing: ["the driver's executable"],
    },
  ];
}
