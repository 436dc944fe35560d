// FX-STAGE: a package that is not refused while it is built or started, and fails later.

import { rehearsePackages } from "../../signing/package-rehearsal.ts";
import { claimPlace, evidenceParts } from "../../signing/parts.ts";
import type { Finding, Rule } from "../rule.ts";

export const laterStageFails: Rule = {
  id: "FX-STAGE",
  title: "The package will fail when it is installed, attached or opened",
  severity: "error",
  certainty: "established",
  source: "xnu-11417 IOUserServer; OSSystemExtensionErrorDomain",
  needs: ["entitlements", "Info.plist", "Mach-O", "registry dump"],
  why: "Build and launch ask whether claims are allowed. What they are worth is asked later: by the system when the extension is activated, by the kernel when the driver meets its device and when an app opens it.",
  fix: ["Look at the rehearsal below, stage by stage."],
  who: "you",
  judge(evidence) {
    const parts = evidenceParts(evidence);
    return rehearsePackages(evidence).flatMap(({ rehearsal, platform }): Finding[] => {
      const failed = rehearsal.verdicts.find(({ ok }) => ok === false);
      // Build and launch have rules of their own, which name keys and values.
      if (failed === undefined || failed.stage === "build") return [];
      const isTool = failed.finding === "tool-without-profile";
      if (failed.stage === "launch" && !isTool) return [];
      const part = parts.find(
        ({ role, bundleIdentifier }) => role === failed.part && bundleIdentifier === failed.bundleIdentifier,
      );
      if (part === undefined) return [];
      const when = {
        install: "is not activated",
        launch: "is killed when it starts",
        provider: "does not attach to its device",
        "user client": "may not open the driver",
      }[failed.stage];
      return [
        {
          score: isTool ? 76 : 70,
          claim: `On ${platform} ${failed.bundleIdentifier || `the ${failed.part}`} ${when}: ${failed.reason}.`,
          because: [claimPlace(part, "com.apple.developer.driverkit")],
          fix: [failed.fix],
          who: failed.who,
          about: [failed.bundleIdentifier],
        },
      ];
    });
  },
};
