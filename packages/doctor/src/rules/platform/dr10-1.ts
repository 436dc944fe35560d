// DR10-1: there are no driver extensions on iPhone.

import { watch } from "../../evidence/watch.ts";
import { modelLine, phonePlaces, phoneWord } from "../machines.ts";
import { isDextEntitlements, listsOf, spoken } from "../questions.ts";
import type { Rule } from "../rule.ts";

const both = watch(
  ["DriverKit", "IOUSBHost", "IOServiceOpen", "driver extension", ".dext"],
  /\b(?:(?:USB)?DriverKit|IOUSBHost\w*|IOServiceOpen|driver extensions?|dext)\b/,
);

export const dr10x1: Rule = {
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
    const files = new Set(phones.map((place) => place.file));
    const said = spoken(evidence, both).filter((hit) => files.has(hit.place.file));
    const lists = [
      ...listsOf(evidence, "entitlements").filter(({ value }) => isDextEntitlements(value.value)),
      ...listsOf(evidence, "Info.plist").filter(({ value }) => value.value.CFBundlePackageType === "DEXT"),
    ];
    const crashes = evidence.facts("crash").filter(({ value }) => value.isDext);
    if (said.length === 0 && lists.length === 0) return [];
    if (crashes.length > 0) return [];
    return [
      {
        score: 60 + (said.length > 0 ? 12 : 0) + (lists.length > 0 ? 12 : 0),
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
