// NT-795835: no PCI device of this machine fits the match.

import { hex } from "@drydock/core/base/text";
import { isDictionary, type Properties } from "@drydock/core/platform/properties";
import type { Place } from "../../facts/evidence-source.ts";
import { absent } from "../../facts/statement.ts";
import { driverKit, listsOf } from "../../signing/entitlement-lists.ts";
import { numberOfProperty, personalities } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";
import { isWhole } from "../wholeness.ts";

const matchKeys: readonly string[] = ["IOPCIMatch", "IOPCIPrimaryMatch", "IOPCISecondaryMatch"];

export const noDeviceFitsMatch: Rule = {
  id: "NT-795835",
  title: "No PCI device of this machine fits the match",
  severity: "error",
  certainty: "established",
  source: "IOPCIFamily-726 matchKeys; forum thread 795835",
  needs: ["Info.plist", "entitlements", "registry dump"],
  why: "The kernel reads every number of a PCI match in base 16 and compares 32 bits under the mask, device id in the high half. The personality's match and the entitlement's value have to fit the same device; a device that counts as built in needs the string com.apple.developer.driverkit.builtin too. No line of the log tells of a match that fits nothing.",
  fix: [
    "Write 0xDDDDVVVV for one device, 0x0000VVVV&0x0000FFFF for a vendor.",
    "Compare with vendor-id and device-id of the nub (ioreg -l -w0): data, little-endian.",
    "For development the entitlement's wildcard is 0xFFFFFFFF&0x00000000.",
  ],
  who: "you",
  states: absent("registry", "a PCI device that fits the match"),
  judge(evidence) {
    const nubs = evidence.facts("registry-entry").flatMap(({ value, place }) => {
      const vendor = numberOfProperty(value.properties["vendor-id"]);
      const device = numberOfProperty(value.properties["device-id"]);
      if (value.className !== "IOPCIDevice" || vendor === null || device === null) return [];
      const systemVendor = numberOfProperty(value.properties["subsystem-vendor-id"]) ?? 0;
      const system = numberOfProperty(value.properties["subsystem-id"]) ?? 0;
      return [
        {
          name: value.name,
          place,
          primary: (device & 0xffff) * 65536 + (vendor & 0xffff),
          secondary: (system & 0xffff) * 65536 + (systemVendor & 0xffff),
        },
      ];
    });
    if (nubs.length === 0) return [];
    const findings: Finding[] = [];
    const isWholeDump = isWhole(evidence, "registry", nubs[0].place);
    const check = (value: Properties, placeOf: (key: string) => Place, where: string) => {
      const keys = matchKeys.filter((key) => typeof value[key] === "string");
      if (keys.length === 0) return;
      const isFitting = (key: string, nub: (typeof nubs)[number]) =>
        itemsOf(value[key] as string).some(
          (item) =>
            (key !== "IOPCISecondaryMatch" && fits(item, nub.primary)) ||
            (key !== "IOPCIPrimaryMatch" && fits(item, nub.secondary)),
        );
      if (nubs.some((nub) => keys.every((key) => isFitting(key, nub)))) return;
      const read = itemsOf(value[keys[0]] as string)
        .map(({ number, mask }) => `0x${hex(number, 8)} under 0x${hex(mask, 8)}`)
        .join(", ");
      findings.push({
        score: 74,
        claim: `${where} ${keys[0]} is read as ${read || "nothing"}, and none of the ${nubs.length} PCI devices ${isWholeDump ? "of this registry" : "that are shown here"} fits it.`,
        ...(isWholeDump
          ? {}
          : {
              states: { predicate: "none of the PCI devices that are shown fits the match", state: "seen" },
            }),
        because: [placeOf(keys[0]), nubs[0].place],
      });
    };
    for (const personality of personalities(evidence))
      if (personality.value.IOProviderClass === "IOPCIDevice")
        check(personality.value, (key) => personality.placeOf(key), `${personality.name}'s`);
    const transport = `${driverKit}.transport.pci`;
    for (const { value } of listsOf(evidence, "entitlements")) {
      const list = value.value[transport];
      if (!Array.isArray(list)) continue;
      list.forEach((item, index) => {
        if (isDictionary(item))
          check(item, (key) => value.placeOf(`${transport}/${index}/${key}`), "The entitlement's");
      });
    }
    return findings;
  },
};

interface MatchItem {
  readonly number: number;
  readonly mask: number;
}

/** Items separated by blanks, each "value" or "value&mask", every number in base 16. */
function itemsOf(text: string): MatchItem[] {
  return text
    .trim()
    .split(/\s+/)
    .map((item) => {
      const [number, mask = "ffffffff"] = item.split("&").map((part) => part.replace(/^0x/i, ""));
      return { number: Number.parseInt(number, 16), mask: Number.parseInt(mask, 16) };
    })
    .filter(({ number, mask }) => Number.isInteger(number) && Number.isInteger(mask));
}

function fits({ number, mask }: MatchItem, register: number): boolean {
  return (number & mask) >>> 0 === (register & mask) >>> 0;
}
