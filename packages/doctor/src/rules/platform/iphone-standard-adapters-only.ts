// DR10-2: iPhone drives network adapters of the standard class only.

import { hex } from "@drydock/core/base/text";
import { watch } from "../../evidence/watch.ts";
import type { Place } from "../../facts/evidence-source.ts";
import { modelLine, phonePlaces, phoneWord } from "../machines.ts";
import { spoken } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";

/** Network chips whose function is vendor specific, by vendor and product. */
const chips: Readonly<Record<string, string>> = {
  "0b95:7720": "AX88772",
  "0b95:772a": "AX88772A",
  "0b95:772b": "AX88772B or C",
  "0b95:1780": "AX88178",
  "0b95:178a": "AX88178A",
  "0b95:1790": "AX88179",
  "0bda:8152": "RTL8152",
  "0bda:8153": "RTL8153",
};
const chip = watch(
  ["0b95:", "0bda:", "AX881", "AX887"],
  /\b(?:0x)?(0b95|0bda):(?:0x)?([0-9a-f]{4})\b|\b(AX88(?:772|178|179)[A-D]?)\b/i,
);

export const iphoneStandardAdaptersOnly: Rule = {
  id: "DR10-2",
  title: "iPhone drives network adapters of the standard class only",
  severity: "error",
  certainty: "established",
  source: "Linux asix, ax88179_178a and r8152 device tables; USB CDC NCM 1.0",
  needs: ["text", "registry dump"],
  why: "The adapter's network function is vendor specific (class FFh), so it needs a driver of its own, and iPhone takes none. With firmware or a chip that offers CDC-NCM the same cable works without a driver.",
  fix: [
    "Ask the adapter's maker for firmware that offers CDC-NCM, or choose a bridge that does.",
    "On macOS and on iPads with an M chip a driver extension is possible.",
  ],
  who: "the device's maker",
  watches: [chip, modelLine, phoneWord],
  judge(evidence) {
    const phones = phonePlaces(evidence);
    if (phones.length === 0) return [];
    const findings: Finding[] = [];
    const add = (name: string, place: Place) =>
      findings.push({
        score: 84,
        claim: `${name} is a vendor-specific network chip: an iPhone has no driver for it, and takes none.`,
        because: [place, phones[0]],
        about: [name],
      });
    for (const { match, place } of spoken(evidence, chip)) {
      const name = match[3] ?? chips[`${match[1]}:${match[2]}`.toLowerCase()];
      if (name !== undefined) add(name.toUpperCase(), place);
    }
    for (const { value, place } of evidence.facts("registry-entry")) {
      const { idVendor, idProduct } = value.properties;
      if (typeof idVendor !== "number" || typeof idProduct !== "number") continue;
      const name = chips[`${hex(idVendor, 4)}:${hex(idProduct, 4)}`];
      if (name !== undefined) add(name, place);
    }
    return findings;
  },
};
