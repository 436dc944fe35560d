// DR13-3: this iPad has no M chip, and DriverKit needs one.

import { watch } from "../../evidence/watch.ts";
import { driverKit, isDextEntitlements, listsOf } from "../../signing/entitlement-lists.ts";
import { mobileMachines, modelLine, padHasM } from "../machines.ts";
import { spoken } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";

const subject = watch(
  ["DriverKit", "driver extension", " dext", "communicates-with-drivers"],
  /\b(?:USBDriverKit|DriverKit|driver extensions?|dext|communicates-with-drivers)\b/,
);

export const ipadWithoutMChip: Rule = {
  id: "DR13-3",
  title: "This iPad has no M chip, and DriverKit needs one",
  severity: "error",
  certainty: "established",
  source: "Apple, DriverKit on iPadOS 16 and later: iPads with an M chip; model numbers as of October 2025",
  needs: ["crash report", "text", "Info.plist"],
  why: "On iPadOS driver extensions are offered on iPads with an M chip only. On all others the app installs, and its driver never appears in Settings.",
  fix: [
    "Test on an iPad with an M chip, and require one in the App Store (UIRequiredDeviceCapabilities: driverkit).",
    "For other iPads use what the system drives by itself.",
  ],
  who: "you",
  watches: [subject, modelLine],
  judge(evidence) {
    const lists = [
      ...listsOf(evidence, "entitlements").filter(
        ({ value }) =>
          isDextEntitlements(value.value) || `${driverKit}.communicates-with-drivers` in value.value,
      ),
      ...listsOf(evidence, "Info.plist").filter(({ value }) => value.value.CFBundlePackageType === "DEXT"),
    ].map((list) => list.place);
    return mobileMachines(evidence).flatMap(({ kind, model, place }): Finding[] => {
      if (kind !== "iPad" || padHasM(model) !== false) return [];
      const said = spoken(evidence, subject).filter((hit) => hit.place.file === place.file);
      const because = [...said.map((hit) => hit.place), ...lists];
      if (because.length === 0) return [];
      return [
        {
          score: 84,
          claim: `${model} has no M chip, so it takes no driver extension.`,
          because: [place, ...because.slice(0, 3)],
          about: [model],
        },
      ];
    });
  },
};
