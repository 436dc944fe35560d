// DR20-5: the profile belongs to another bundle id.

import { watch } from "../../evidence/watch.ts";
import { refused } from "../../facts/statement.ts";
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
  states: refused("the profile does not cover this bundle"),
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
      if (identifier === "") return [];
      const named = identifier.replace(/^[A-Z0-9]{10}\./, "").replace(/\.?\*$/, "");
      const folder = bundleFolder(profile.place.file);
      // Of a profile in a bundle only that bundle speaks. A loose one needs an id of the same product; otherwise nothing
      // ties them together.
      const isInBundle = /\.(?:app|dext)$/.test(folder);
      const own = isInBundle ? bundles.filter(({ place }) => bundleFolder(place.file) === folder) : bundles;
      if (own.length === 0 || own.some(({ id }) => coversBundle(identifier, id))) return [];
      if (!isInBundle && !own.some(({ id }) => areRelated(named, id))) return [];
      return [
        {
          // Which bundle a loose profile was chosen for is in no file here.
          ...(isInBundle
            ? { score: 86 }
            : {
                score: 45,
                states: { predicate: "the profile does not cover the bundles here", state: "seen" as const },
                missing: ["which bundle this profile is embedded in or was chosen for"],
              }),
          claim: `The profile is for ${identifier}, and ${isInBundle ? "its bundle is" : "the bundles here are"} ${own.map(({ id }) => id).join(", ")}: ${isInBundle ? "it does not cover it" : "it covers none of them, if it was meant for one of them"}.`,
          because: [profile.value.placeOf("Entitlements"), own[0].place],
          about: own.map(({ id }) => id),
        },
      ];
    });
  },
};
