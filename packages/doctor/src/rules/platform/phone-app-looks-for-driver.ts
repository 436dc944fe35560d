// DR01-2: an app for iPhone opens a driver's user client.

import type { Evidence } from "../../evidence/evidence.ts";
import { watch } from "../../evidence/watch.ts";
import type { Place } from "../../facts/evidence-source.ts";
import { listsOf } from "../../signing/entitlement-lists.ts";
import { mobileMachines, modelLine } from "../machines.ts";
import type { Rule } from "../rule.ts";

const opens = watch(
  ["IOServiceOpen", "IOServiceGetMatching"],
  /\b(IOServiceOpen|IOServiceGetMatchingServices?)\s*\(/,
);
/** Xcode's build setting: 1 is iPhone, 2 is iPad. */
const family = watch(["TARGETED_DEVICE_FAMILY"], /\bTARGETED_DEVICE_FAMILY\b\s*=\s*"?([\d, ]{1,20})"?/);

export const phoneAppLooksForDriver: Rule = {
  id: "DR01-2",
  title: "An app for iPhone looks for a driver",
  severity: "error",
  certainty: "established",
  source: "Apple, DriverKit: macOS, and iPadOS 16 on iPads with an M chip; DTS answer in thread 802640",
  needs: ["source", "Info.plist", "crash report"],
  why: "IOServiceGetMatchingService and IOServiceOpen link on iOS, but there are no driver extensions on iPhone and no user clients that a third party may open. The call finds nothing, or is refused.",
  fix: [
    "Accessory of your own: External Accessory with an MFi accessory.",
    "Or a standard class that iPhone drives itself: CDC-NCM network, HID, mass storage, audio, MIDI.",
    "Or network or Bluetooth. On iPad with an M chip and on Mac a driver extension works: leave iPhone out of the target's devices.",
  ],
  who: "you",
  watches: [opens, family, modelLine],
  judge(evidence) {
    const calls = evidence.hits(opens);
    const phone = phoneTarget(evidence);
    if (calls.length === 0 || phone === null) return [];
    return [
      {
        score: 76,
        claim: `${calls[0].match[1]} is called in an app for iPhone, where no driver can be opened.`,
        because: [calls[0].place, phone],
        about: [calls[0].match[1]],
      },
    ];
  },
};

/** What says that the app is for iPhone and for nothing else, or runs on one. */
function phoneTarget(evidence: Evidence): Place | null {
  for (const { value } of listsOf(evidence, "Info.plist")) {
    const devices = value.value.UIDeviceFamily;
    if (Array.isArray(devices) && devices.length > 0 && devices.every((one) => Number(one) === 1))
      return value.placeOf("UIDeviceFamily");
  }
  const only = evidence.hits(family).find(({ match }) => match[1].trim() === "1");
  if (only !== undefined) return only.place;
  return mobileMachines(evidence).find(({ kind }) => kind === "iPhone")?.place ?? null;
}
