// DR16-5: the device accessed memory outside of its mappings, and the IOMMU stopped the machine.

import { watch } from "../../evidence/watch.ts";
import { perHit } from "../questions.ts";
import type { Rule } from "../rule.ts";

const violation = watch(
  ["DART_INVALID_ERR_MASK"],
  /VIOLATION_(T\d+)_DART_INVALID_ERR_MASK(?:.{0,200}err_mask\((0x[0-9a-f]+)\))?/i,
);

export const iommuStoppedMachine: Rule = {
  id: "DR16-5",
  title: "The device accessed memory outside of its mappings, and the IOMMU stopped the machine",
  severity: "error",
  certainty: "established",
  source: "panic text; tinygrad issue 16086",
  needs: ["panic report"],
  why: "On machines with SPTM some error states of the IOMMU (DART) bring the machine down. The usual way there is a device that still writes after its mapping was completed or its process ended. The dext is not in the backtrace.",
  fix: [
    "Look at the order of teardown: stop the engine, bus master off, read back, only then CompleteDMA.",
    "Program only addresses that PrepareForDMA returned, in full 64 bits, within their length and direction.",
  ],
  who: "you",
  watches: [violation],
  judge(evidence) {
    return perHit(evidence, violation, ({ match }) => ({
      score: 90,
      claim: `The IOMMU of ${match[1]} reported an error state that stops the machine${match[2] === undefined ? "" : ` (err_mask ${match[2]})`}: a PCI device reached outside its mappings.`,
      missing: ["which PCI dext was loaded (systemextensionsctl list, ioreg -l -w0)"],
    }));
  },
};
