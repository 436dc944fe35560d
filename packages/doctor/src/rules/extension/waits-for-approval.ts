// FX-APPROVAL: the extension waits for the user's approval.

import { currentRows } from "../extension-lists.ts";
import type { Finding, Rule } from "../rule.ts";

export const waitsForApproval: Rule = {
  id: "FX-APPROVAL",
  title: "The extension waits for the user's approval",
  severity: "error",
  certainty: "established",
  source: "systemextensionsctl list; Apple, installing system extensions",
  needs: ["system extensions list"],
  why: "A driver extension is not started before the user has allowed it. Until then the driver never matches, and opening it finds no service.",
  fix: [
    "System Settings, General, Login Items & Extensions, Driver Extensions (before macOS 15: Privacy & Security): switch it on.",
    "On managed Macs let the administrator allow the team and bundle id in a configuration profile.",
  ],
  who: "you",
  judge(evidence) {
    return currentRows(evidence).flatMap(({ place, value }): Finding[] =>
      /waiting for user|waiting to be enabled|activated disabled/.test(value.state)
        ? [
            {
              score: 78,
              claim: `${value.bundleIdentifier} is ${value.state}: it does not run until the user switches it on.`,
              because: [place],
              about: [value.bundleIdentifier],
            },
          ]
        : [],
    );
  },
};
