// DR20-5: the profile belongs to another bundle id.

import { watch } from "../../evidence/watch.ts";
import {
  allowlistOf,
  applicationIdentifierOf,
  areRelated,
  coversBundle,
  listsOf,
} from "../../signing/entitlement-lists.ts";
import { bundleFolder } from "../../signing/parts.ts";
import type { Finding, Rule } from "../rule.ts";

const differs = watch(
  ["has app ID"],
  /rovisioning profile "([^"]{1,200})" has app ID "([^"]{1,255})", which does not match the bundle ID "([^"]{1,255})"/,
);

export const profileOfAnotherBundle: Rule = {
  id: "DR20-5",
  title: "The profile belongs to another bundle id",
  severity: "error",
  certainty: "established",
  source: "Xcode's message; Apple TN3125",
  needs: ["log", "provisioning profile", "Info.plist"],
  why: "A profile names one App ID, or a prefix with a star. The sample's targets got new bundle ids, and the profile was made for the old one or for the other target.",
  fix: [
    "Make one App ID and one profile for the app, and one of each for the driver; Xcode embeds a driver whose bundle id begins with the app's.",
    "Select the profile that belongs to the target, or let Xcode manage signing for development.",
  ],
  who: "you",
  watches: [differs],
  judge(evidence) {
    const said = evidence.hits(differs).map(
      ({ match, place }): Finding => ({
        score: 96,
        claim: `The profile "${match[1]}" is for ${match[2]}, and the target's bundle id is ${match[3]}.`,
        because: [place],
        about: [match[2], match[3]],
      }),
    );
    if (said.length > 0) return said;
    const bundles = listsOf(evidence, "Info.plist").flatMap(({ value }) => {
      const id = value.value.CFBundleIdentifier;
      return typeof id === "string" && !id.includes("$(")
        ? [{ id, place: value.placeOf("CFBundleIdentifier") }]
        : [];
    });
    if (bundles.length === 0) return [];
    return listsOf(evidence, "provisioning profile").flatMap((profile): Finding[] => {
      const identifier = applicationIdentifierOf(allowlistOf(profile));
      if (identifier === "" || bundles.some(({ id }) => coversBundle(identifier, id))) return [];
      const named = identifier.replace(/^[A-Z0-9]{10}\./, "").replace(/\.?\*$/, "");
      const folder = bundleFolder(profile.place.file);
      // It lies in a bundle, or its id and theirs are of one product; otherwise nothing ties them together.
      const isInBundle =
        /\.(?:app|dext)$/.test(folder) && bundles.some(({ place }) => bundleFolder(place.file) === folder);
      if (!isInBundle && !bundles.some(({ id }) => areRelated(named, id))) return [];
      return [
        {
          score: 72,
          claim: `The profile is for ${identifier}, and the bundles here are ${bundles.map(({ id }) => id).join(", ")}: it covers none of them.`,
          because: [profile.value.placeOf("Entitlements"), bundles[0].place],
          about: bundles.map(({ id }) => id),
        },
      ];
    });
  },
};
