// DR13-1: the system's own driver owns this serial chip, and the sandbox hides it from apps.

import { watch } from "../../evidence/watch.ts";
import { onceFor } from "../questions.ts";
import type { Rule } from "../rule.ts";

const denied = watch(
  ["iokit-get-properties"],
  /deny\(1\) iokit-get-properties iokit-class:(IOUserSerial|IOSerialBSDClient)(?: property:(\w{1,80}))?/,
);

export const serialChipIsApples: Rule = {
  id: "DR13-1",
  title: "The system's own driver owns this serial chip, and the sandbox hides it from apps",
  severity: "error",
  certainty: "established",
  source: "sandbox log line; Apple's list of DriverKit families on iPadOS",
  needs: ["log"],
  why: "On iPadOS Apple's driver claims the chip and a sandbox rule refuses its properties to third-party apps. No public entitlement lifts that, and BSD serial ports are no app-facing API there.",
  fix: [
    "Write an own driver: a plain IOService with USBDriverKit, bulk pipes and a user client; it out-matches the system's, which sits one point below any vendor's personality and defers.",
    "Embed it in the app, let the user enable it in Settings, and give the app communicates-with-drivers; same team.",
  ],
  who: "you",
  watches: [denied],
  judge(evidence) {
    return onceFor(evidence, denied, ({ match }, hits) => ({
      score: 95,
      claim: `The sandbox refuses ${hits.length === 1 ? `the property ${match[2] ?? ""}`.trim() : "the properties"} of ${match[1]}: the system's own driver owns the chip, and no entitlement changes that.`,
      about: [match[1]],
    }));
  },
};
