// DR10-1: there are no driver extensions on iPhone.

import { watch } from "../../evidence/watch.ts";
import type { Place } from "../../facts/evidence-source.ts";
import { isDextEntitlements, listsOf } from "../../signing/entitlement-lists.ts";
import { mobileMachines, modelLine, phonePlaces, phoneWord } from "../machines.ts";
import { spoken } from "../questions.ts";
import type { Rule } from "../rule.ts";

const both = watch(
  ["DriverKit", "IOUSBHost", "IOServiceOpen", "driver extension", " dext"],
  /\b(?:(?:USB)?DriverKit|IOUSBHost\w*|IOServiceOpen|driver extensions?|dext)\b/,
);

export const noDriversOnIphone: Rule = {
  id: "DR10-1",
  title: "There are no driver extensions on iPhone",
  severity: "error",
  certainty: "established",
  source: "Apple, DriverKit: macOS, and iPadOS 16 on iPads with an M chip; DTS answer in thread 802640",
  needs: ["text", "crash report", "Info.plist"],
  why: "DriverKit exists on macOS, and on iPadOS 16 and later on iPads with an M chip. On iPhone neither driver extensions nor IOUSBHost are offered to third parties; that the IOKit framework is there changes nothing.",
  fix: [
    "Use what iPhone drives by itself: a class-compliant device (CDC-NCM network, HID, mass storage, audio, MIDI).",
    "Use External Accessory with an MFi accessory, or network or Bluetooth.",
  ],
  who: "you",
  watches: [both, modelLine, phoneWord],
  judge(evidence) {
    const phones = phonePlaces(evidence);
    if (phones.length === 0) return [];
    // A report's tables name DriverKit on every machine: only what somebody wrote counts.
    const reports = new Set(
      evidence.files
        .filter(({ kinds }) => kinds.includes("panic report") || kinds.includes("crash report"))
        .map(({ name }) => name),
    );
    const said = spoken(evidence, both).filter(
      ({ place }) => !reports.has(place.file) && phones.some((phone) => isNear(phone, place)),
    );
    const lists = [
      ...listsOf(evidence, "entitlements").filter(({ value }) => isDextEntitlements(value.value)),
      ...listsOf(evidence, "Info.plist").filter(({ value }) => value.value.CFBundlePackageType === "DEXT"),
    ];
    const crashes = evidence.facts("crash").filter(({ value }) => value.isDext);
    if (said.length === 0 && lists.length === 0) return [];
    if (crashes.length > 0) return [];
    const isOneLine = said.some((hit) => phones.some((phone) => phone.line === hit.place.line));
    return [
      {
        score: lists.length > 0 && mobileMachines(evidence).length > 0 ? 80 : isOneLine ? 72 : 44,
        claim: "This is about an iPhone, and there are no driver extensions on iPhone.",
        because: [
          phones[0],
          ...said.slice(0, 2).map((hit) => hit.place),
          ...lists.slice(0, 2).map((list) => list.place),
        ],
      },
    ];
  },
};

/** In one text, a few lines apart: a page may well speak of phones here and of drivers there. */
function isNear(phone: Place, place: Place): boolean {
  return phone.file === place.file && Math.abs(phone.line - place.line) <= 3;
}
