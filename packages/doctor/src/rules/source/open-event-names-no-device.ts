// DR07-2: a device rule behind AUTH_IOKIT_OPEN, which names no device before macOS 26.

import type { Rule } from "../rule.ts";
import { perSource } from "../source-questions.ts";

export const openEventNamesNoDevice: Rule = {
  id: "DR07-2",
  title: "The event of IOServiceOpen names no device before macOS 26",
  severity: "warning",
  certainty: "established",
  source:
    "Endpoint Security: es_event_iokit_open_t has the user client's type and class; macOS 26 adds the parent's registry id",
  needs: ["source"],
  why: "Before macOS 26 the authorisation event of IOServiceOpen carries the user client's type and class name, and nothing that leads to the device. A rule about vendors or products cannot be decided there; guessing from the class forbids every device of that class.",
  fix: [
    "On macOS 26 look the parent's registry id up, and decide with the device's properties.",
    "Before it, decide by class alone, and enforce the rule about the device elsewhere: mount approval for storage, device capture by a root process for the others.",
  ],
  who: "you",
  judge(evidence) {
    return perSource(evidence, (file) => {
      const subscribed = file.root
        .all("identifier")
        .find(({ text }) => text === "ES_EVENT_TYPE_AUTH_IOKIT_OPEN");
      if (subscribed === undefined || !deviceWords.test(file.text) || /parent_registry_id/.test(file.text))
        return [];
      return [
        {
          score: 72,
          claim:
            "A rule about the device hangs on AUTH_IOKIT_OPEN, whose event names no device before macOS 26.",
          because: [file.placeOf(subscribed)],
          missing: ["the macOS versions that this must work on"],
        },
      ];
    });
  },
};

const deviceWords =
  /\b(?:idVendor|idProduct|vendor_?id|product_?id|kUSBVendorID|kUSBProductID|locationID)\b/i;
