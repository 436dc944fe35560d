// DR06-4: the driver's bundle has no executable: nothing of its target was compiled.

import { absent } from "../../facts/statement.ts";
import { bundleFolder, evidenceParts } from "../../signing/parts.ts";
import type { Finding, Rule } from "../rule.ts";

export const bundleWithoutExecutable: Rule = {
  id: "DR06-4",
  title: "The driver's bundle has no executable: nothing of its target was compiled",
  severity: "error",
  certainty: "established",
  source: "DriverKit's interface files: a class is compiled from its .iig and .cpp",
  needs: ["Info.plist", "Mach-O"],
  why: "A driver extension always has an executable. When its target holds no .iig and no .cpp file (the class stands in a plain header, or the files belong to another target), Xcode makes a bundle with an Info.plist and no code.",
  fix: [
    "Give the target an .iig file with the class and a .cpp file with its methods, and see that both are in Compile Sources.",
  ],
  who: "you",
  states: absent("bundle", "the executable that CFBundleExecutable names"),
  judge(evidence) {
    const withCode = new Set(evidence.facts("executable").map(({ place }) => bundleFolder(place.file)));
    return evidenceParts(evidence).flatMap((part): Finding[] => {
      const { infoPlist, executables, profile, profileBy } = part;
      if (infoPlist === null || executables.length > 0 || part.role !== "dext") return [];
      const { value } = infoPlist.value;
      const name = value.CFBundleExecutable;
      // An Info.plist of a project, not of a product.
      if (value.CFBundlePackageType !== "DEXT" || typeof name !== "string" || name.includes("$(")) return [];
      if (withCode.has(bundleFolder(infoPlist.place.file))) return [];
      // The rest of the product is there: its profile in the same bundle, or the app around it with its code. Of an
      // Info.plist by itself nothing is said: what was not handed in is not absent.
      const isProduct = (profile !== null && profileBy === "bundle") || withCode.size > 0;
      if (!isProduct) return [];
      return [
        {
          score: 86,
          claim: `The bundle of ${part.bundleIdentifier} has no executable "${name}": its target compiled nothing.`,
          because: [infoPlist.value.placeOf("CFBundleExecutable")],
          about: [part.bundleIdentifier],
        },
      ];
    });
  },
};
