// DR18-6: the registry records an IOMMU fault of this device.

import type { Finding, Rule } from "../rule.ts";

export const iommuFaultRecorded: Rule = {
  id: "DR18-6",
  title: "The registry records an IOMMU fault of this device",
  severity: "warning",
  certainty: "established",
  source: "IOPCIFamily-726 property pci-dart-error-data (macOS 26)",
  needs: ["registry dump"],
  why: "From macOS 26 on the property pci-dart-error-data gets 20 bytes for each IOMMU fault. A read does not remove them, so it proves a fault since boot or the last fresh start, not one in this run. The meaning of the words is not published.",
  fix: ["Take a snapshot before the run and compare the bytes afterwards."],
  who: "you",
  judge(evidence) {
    return evidence.facts("registry-entry").flatMap(({ value }): Finding[] => {
      const data = value.properties["pci-dart-error-data"];
      if (!(data instanceof Uint8Array) || data.length < 20) return [];
      const claim = `The IOMMU recorded ${Math.floor(data.length / 20)} fault(s) of ${value.name} since boot or the last fresh start.`;
      return [
        {
          score: 60,
          claim,
          because: [value.placeOf("pci-dart-error-data")],
          missing: ["a dump from before the run"],
        },
      ];
    });
  },
};
