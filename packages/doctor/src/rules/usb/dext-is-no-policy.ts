// DR07-1: somebody wants to block devices, and has the entitlement of a driver extension.

import { isDictionary } from "@drydock/core/platform/properties";
import { watch } from "../../evidence/watch.ts";
import { driverKit, isDextEntitlements, listsOf } from "../../signing/entitlement-lists.ts";
import { spoken } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";

const goal = watch(
  ["block", "prevent", "deny ", "denying", "restrict"],
  /\b(?:block|prevent|deny|restrict)\w*\b[^\n]{0,120}\bUSB\b|\bUSB\b[^\n]{0,120}\b(?:block|prevent|deny|restrict)\w*\b/i,
);

export const dextIsNoPolicy: Rule = {
  id: "DR07-1",
  title: "A driver extension is no policy: it cannot block devices that it does not match",
  severity: "warning",
  certainty: "established",
  source: "Apple Developer Forums threads 800824 and 763001; TN3125 on what a distribution profile may hold",
  needs: ["entitlements", "text"],
  why: "A driver extension competes for a device and vetoes nothing: what it does not match has its usual driver. For distribution the USB entitlement names vendors and products; the value that matches everything is for development.",
  fix: [
    "Storage: refuse or downgrade mounts, by Disk Arbitration's approval callback or Endpoint Security's AUTH_MOUNT.",
    "Other devices: a root process captures the device (IOUSBHost, device capture) and holds it; exempt hubs, internal devices and the keyboard in use, and know that drivers have it for a moment.",
    "Opening user clients: Endpoint Security's AUTH_IOKIT_OPEN, by class; by device from macOS 26 on.",
    "Managed Macs: accessory and storage restrictions of MDM. Rehearse rules with: drydock policy FILE --against CAPTURE",
  ],
  who: "you",
  watches: [goal],
  judge(evidence) {
    const [first, ...others] = spoken(evidence, goal);
    if (first === undefined) return [];
    return listsOf(evidence, "entitlements").flatMap(({ value }): Finding[] => {
      const claim = value.value[`${driverKit}.transport.usb`];
      if (!isDextEntitlements(value.value) || !Array.isArray(claim)) return [];
      const isWildcard = claim.some(
        (entry) => isDictionary(entry) && (entry.idVendor === "*" || entry.idVendor === true),
      );
      return [
        {
          score: isWildcard ? 74 : 58,
          claim: isWildcard
            ? "USB devices shall be blocked by a driver extension whose entitlement matches every vendor: that value is for development only."
            : "USB devices shall be blocked by a driver extension: it has those on its list, and no others.",
          because: [
            first.place,
            value.placeOf(`${driverKit}.transport.usb`),
            ...others.slice(0, 2).map(({ place }) => place),
          ],
        },
      ];
    });
  },
};
