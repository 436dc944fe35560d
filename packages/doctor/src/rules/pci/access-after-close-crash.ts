// DR14-4: A register access after Close dereferenced a mapping that was gone.

import { crashedThread } from "../../facts/crash-report.ts";
import type { Finding, Rule } from "../rule.ts";

export const accessAfterCloseCrash: Rule = {
  id: "DR14-4",
  title: "A register access after Close dereferenced a mapping that was gone",
  severity: "error",
  certainty: "established",
  source: "IOPCIFamily-726 PCIDriverKit IOPCIDevice::Close",
  needs: ["crash report"],
  why: "Close clears the array of mappings but not their count. A MemoryRead or MemoryWrite afterwards loads from a null array at index * 8, so the dext dies with EXC_BAD_ACCESS at a tiny address.",
  fix: [
    "Stop every timer, handler and queue that may touch the device before Close, and touch no register after it.",
  ],
  who: "you",
  judge(evidence) {
    return evidence.facts("crash").flatMap(({ place, value }): Finding[] => {
      if (value.exceptionType !== "EXC_BAD_ACCESS" || value.address === null || value.address >= 64)
        return [];
      const frame = crashedThread(value)
        ?.frames.slice(0, 4)
        .find(({ symbol }) => /Memory(?:Read|Write)\d+/.test(symbol));
      if (frame === undefined) return [];
      const claim = `${value.process} accessed register memory (${frame.symbol}) at address 0x${value.address.toString(16)}, mapping ${value.address >> 3}: the device had been closed.`;
      return [{ score: 93, claim, because: [place] }];
    });
  },
};
