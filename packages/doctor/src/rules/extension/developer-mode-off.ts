// FX-DEVELOPER-MODE: developer mode of system extensions is off, which matters for apps outside of /Applications.

import { watch } from "../../evidence/watch.ts";
import { onceFor } from "../questions.ts";
import type { Rule } from "../rule.ts";

const off = watch(["Developer mode is off"], /\bDeveloper mode is off\b/);

export const developerModeOff: Rule = {
  id: "FX-DEVELOPER-MODE",
  title: "Developer mode of system extensions is off",
  severity: "note",
  certainty: "established",
  source: "systemextensionsctl developer; OSSystemExtensionError unsupportedParentBundleLocation",
  needs: ["system extensions list"],
  why: "Without developer mode only apps in /Applications may activate an extension, and a version is not replaced by one with the same number.",
  fix: [
    "Move the app to /Applications, or switch developer mode on (systemextensionsctl developer on, with System Integrity Protection off) on a test machine.",
  ],
  who: "you",
  watches: [off],
  judge(evidence) {
    return onceFor(evidence, off, () => ({
      score: 40,
      claim: "Developer mode is off: only apps in /Applications may activate extensions.",
    }));
  },
};
