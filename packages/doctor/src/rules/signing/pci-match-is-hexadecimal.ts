// DR04-7: A PCI match value is read in base 16 and compared in full.

import { isDictionary, type PropertyValue } from "@drydock/core/platform/properties";
import type { Place } from "../../facts/evidence-source.ts";
import { driverKit, listsOf } from "../../signing/entitlement-lists.ts";
import { numberOfProperty, personalities } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";

export const pciMatchIsHexadecimal: Rule = {
  id: "DR04-7",
  title: "A PCI match value is read in base 16 and compared in full",
  severity: "error",
  certainty: "established",
  source: "IOPCIFamily-726 IOPCIBridge matchKeys",
  needs: ["entitlements", "Info.plist", "registry dump"],
  why: "Every number in IOPCIMatch and its relations is read in base 16, with or without 0x, and without a mask all 32 bits must match (device id in the high half, vendor id in the low). A value that looks like a decimal vendor id matches nothing.",
  fix: ["Write vendor-wide matches as 0x0000VVVV&0x0000FFFF and single devices as 0xDDDDVVVV."],
  who: "you",
  judge(evidence) {
    const registers = evidence.facts("registry-entry").flatMap(({ value }) => {
      const vendor = numberOfProperty(value.properties["vendor-id"]);
      const device = numberOfProperty(value.properties["device-id"]);
      return vendor === null || device === null ? [] : [(device & 0xffff) * 65536 + (vendor & 0xffff)];
    });
    const findings: Finding[] = [];
    const check = (text: PropertyValue | undefined, place: Place, where: string) => {
      if (typeof text !== "string") return;
      for (const item of text.trim().split(/\s+/)) {
        if (!/^(?:0x)?[0-9a-f]{1,4}$/i.test(item)) continue;
        const read = Number.parseInt(item.replace(/^0x/i, ""), 16);
        const fits = registers.includes(read);
        if (fits) continue;
        findings.push({
          score: registers.length > 0 ? 86 : 70,
          claim: `${where} "${item}" is read as 0x${read.toString(16).padStart(8, "0")} and compared in full, so it matches no device${registers.length > 0 ? " of this registry" : ""}${/^\d+$/.test(item) ? ` (decimal ${item} would be 0x${Number(item).toString(16)})` : ""}.`,
          because: [place],
        });
      }
    };
    const keys = ["IOPCIMatch", "IOPCIPrimaryMatch", "IOPCISecondaryMatch"];
    for (const { value } of listsOf(evidence, "entitlements")) {
      const pci = value.value[`${driverKit}.transport.pci`];
      if (!Array.isArray(pci)) continue;
      pci.forEach((item, index) => {
        for (const key of keys)
          if (isDictionary(item))
            check(
              item[key],
              value.placeOf(`${driverKit}.transport.pci/${index}/${key}`),
              `The entitlement's ${key}`,
            );
      });
    }
    for (const personality of personalities(evidence))
      for (const key of keys)
        check(personality.value[key], personality.placeOf(key), `${personality.name}'s ${key}`);
    return findings;
  },
};
