// DR14-6: a program that held DMA mappings ended while the device was still writing.

import { watch } from "../../evidence/watch.ts";
import { pciDexts } from "../pci-evidence.ts";
import { spoken } from "../questions.ts";
import type { Rule } from "../rule.ts";

const ended = watch(
  ["exited", "clientDied", "client died", "was killed", "client closed", "crashed"],
  /\b(?:user ?client|client|helper)\b.{0,120}?\b(?:exited|died|clientDied|was killed|crashed|closed)\b/i,
);
const fault = watch(
  ["DART_INVALID_ERR_MASK", "DART fault", "DART error", "IOMMU fault", "IOMMU error"],
  /DART_INVALID_ERR_MASK|\b(?:DART|IOMMU) (?:fault|error)/i,
);

export const mappingsEndedWhileWriting: Rule = {
  id: "DR14-6",
  title: "A program that held DMA mappings ended while the device was still writing",
  severity: "error",
  certainty: "likely",
  source: "a public field study of a PCI dext with a helper program; tinygrad issue 16086",
  needs: ["panic report", "log"],
  why: "When the program that opened the driver exits, its mappings are completed. A device whose bus master is still on keeps writing to its queues in host memory, and the IOMMU answers such a write by a fault that may stop the machine. Unplugging makes it likely, because the program ends on the termination message.",
  fix: [
    "In the driver: stop the engine, clear bus master, read it back, only then let the mappings go; do it when the client goes away, before anything else.",
    "In the program: do not exit on the termination message; tell the driver first, and wait for its answer.",
    "`drydock explore RIG` tries every way out (stop, crash, sleep, unplug) and measures the window in which the device could still write.",
  ],
  who: "you",
  watches: [ended, fault],
  judge(evidence) {
    const faults = spoken(evidence, fault);
    const ends = spoken(evidence, ended).filter((hit) => !/UC |entitlement|failed/.test(hit.row.message));
    const dexts = pciDexts(evidence);
    if (faults.length === 0 || ends.length === 0) return [];
    return [
      {
        score: dexts.length > 0 ? 70 : 54,
        claim:
          "A program that used the driver ended, and the IOMMU reported a fault: the device was still writing to mappings that were gone.",
        because: [faults[0].place, ends[0].place, ...dexts.slice(0, 1).map((dext) => dext.place)],
        missing: [
          "the order in which the driver stops the engine, clears bus master and completes its mappings",
        ],
      },
    ];
  },
};
