// FX-PLACE: a driver lies in an app, and not where an app's extensions are looked for.

import { evidenceParts } from "../../signing/parts.ts";
import type { Finding, Rule } from "../rule.ts";

export const driverOutOfPlace: Rule = {
  id: "FX-PLACE",
  title: "A driver lies in an app, and not where an app's extensions are looked for",
  severity: "error",
  certainty: "established",
  source:
    "Apple, Installing System Extensions and Drivers; OSSystemExtensionError.extensionNotFound (number 4)",
  needs: ["Info.plist"],
  why: "The system looks for the extension that a request names in Contents/Library/SystemExtensions of the app (SystemExtensions on iPadOS), and nowhere else.",
  fix: [
    "In Xcode let a Copy Files phase of the app with destination System Extensions embed the driver (Embed System Extensions).",
  ],
  who: "you",
  judge(evidence) {
    return evidenceParts(evidence).flatMap((part): Finding[] => {
      const { folder, infoPlist } = part;
      const inner = /^((?:.*\/)?[^/]+\.app)\/((?:[^/]+\/)*)[^/]+\.dext$/.exec(folder);
      if (inner === null || infoPlist === null || part.role !== "dext") return [];
      const [, app, place] = inner;
      if (/^(?:Contents\/Library\/)?SystemExtensions\/$/.test(place)) return [];
      return [
        {
          score: 82,
          claim: `The driver ${part.bundleIdentifier || folder} lies in ${place === "" ? app : `${app}/${place.slice(0, -1)}`}: an app's extensions are looked for in Contents/Library/SystemExtensions, so a request for it ends with error 4.`,
          because: [infoPlist.value.placeOf("CFBundleIdentifier")],
          about: [part.bundleIdentifier],
        },
      ];
    });
  },
};
