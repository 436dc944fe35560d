// DR04-4: A vendor id is written in decimal: check which one it is.

import { isDictionary } from "@drydock/core/platform/properties";
import { driverKit, listsOf } from "../../signing/entitlement-lists.ts";
import type { Finding, Rule } from "../rule.ts";

export const vendorIdInDecimal: Rule = {
  id: "DR04-4",
  title: "A vendor id is written in decimal: check which one it is",
  severity: "note",
  certainty: "established",
  source: "USB-IF vendor ids",
  needs: ["entitlements"],
  why: "Integers in property lists are decimal. A hexadecimal vendor id typed without conversion names another vendor.",
  fix: ["Compare the number, in hexadecimal, with the device's descriptor."],
  who: "you",
  judge(evidence) {
    return listsOf(evidence, "entitlements").flatMap(({ value }): Finding[] => {
      const usb = value.value[`${driverKit}.transport.usb`];
      if (!Array.isArray(usb)) return [];
      return usb.flatMap((item, index): Finding[] => {
        if (!isDictionary(item) || item.idVendor === undefined) return [];
        const place = value.placeOf(`${driverKit}.transport.usb/${index}/idVendor`);
        if (typeof item.idVendor === "string" && item.idVendor !== "*")
          return [
            {
              score: 78,
              severity: "error",
              claim: `idVendor is the string "${item.idVendor}"; a profile and the kernel compare a number.`,
              because: [place],
            },
          ];
        if (typeof item.idVendor !== "number") return [];
        const present = devices.get(item.idVendor);
        return [
          {
            score: 30,
            claim: `idVendor ${item.idVendor} is 0x${item.idVendor.toString(16).padStart(4, "0")}${present === undefined ? "" : ` (${present})`}; make sure that this is the device's.`,
            because: [place],
          },
        ];
      });
    });
  },
};

/** Owners of ids that people meet in samples and converters. */
const devices = new Map<number, string>([
  [0x0403, "FTDI"],
  [0x05ac, "Apple"],
  [0x054c, "Sony"],
  [0x067b, "Prolific"],
  [0x0b95, "ASIX"],
  [0x10c4, "Silicon Labs"],
  [0x1a86, "WCH"],
  [0x1d6b, "Linux Foundation"],
  [0x2341, "Arduino"],
]);
