// DR16-4: completeDMA is missing, or comes before the engine stands.

import { absent } from "../../facts/statement.ts";
import type { Finding, Rule } from "../rule.ts";
import { isDext, nameOf, perFunction, sources } from "../source-questions.ts";

export const dmaNotCompleted: Rule = {
  id: "DR16-4",
  title: "CompleteDMA is missing, or comes before the engine stands",
  severity: "error",
  certainty: "established",
  source: "IODMACommand: the mapping lives until CompleteDMA; device writes after it fault in the IOMMU",
  needs: ["source"],
  why: "Between PrepareForDMA and CompleteDMA the device may use the memory. Without CompleteDMA what the device wrote is not guaranteed to be visible and the pages stay pinned; with CompleteDMA before the engine is stopped the device writes into a mapping that is gone, which the IOMMU reports or the machine does not survive.",
  fix: ["In Stop: stop the engine, then CompleteDMA, then release the command."],
  who: "you",
  states: absent("source", "CompleteDMA after PrepareForDMA"),
  judge(evidence) {
    const hasComplete = sources(evidence).some((file) =>
      file.functions.some((one) => one.calls.some(({ name }) => name === "CompleteDMA")),
    );
    return perFunction(evidence, (one, file): Finding[] => {
      if (!isDext(file)) return [];
      const prepare = one.calls.find(({ name }) => name === "PrepareForDMA");
      if (prepare !== undefined && !hasComplete)
        return [
          {
            score: 72,
            claim: `${nameOf(one)} calls PrepareForDMA, and nothing here calls CompleteDMA.`,
            because: [file.placeOf(prepare.node)],
            about: [one.className],
            missing: ["the file that stops the engine, if it is not here"],
          },
        ];
      if (one.name !== "Stop" && one.name !== "free") return [];
      const complete = one.calls.find(({ name }) => name === "CompleteDMA");
      const late = one.calls.find(
        ({ name, node }) =>
          /^MemoryWrite(?:8|16|32|64)$/.test(name) &&
          complete !== undefined &&
          node.start > complete.node.start,
      );
      if (complete === undefined || late === undefined) return [];
      const isStoppedBefore = one.calls.some(
        ({ name, node }) => /^MemoryWrite(?:8|16|32|64)$/.test(name) && node.start < complete.node.start,
      );
      if (isStoppedBefore) return [];
      return [
        {
          score: 80,
          claim: `${nameOf(one)} completes the DMA and writes the engine's registers after it: the device may still be writing.`,
          because: [file.placeOf(complete.node), file.placeOf(late.node)],
          about: [one.className],
        },
      ];
    });
  },
};
