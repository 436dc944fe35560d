// FX-INTERRUPT-COUNT: ConfigureInterrupts gets its two numbers in the wrong order, or a zero.

import { numberOf } from "../../source/source-file.ts";
import type { Finding, Rule } from "../rule.ts";
import { nameOf, perFunction } from "../source-questions.ts";

export const interruptNumbersImpossible: Rule = {
  id: "FX-INTERRUPT-COUNT",
  title: "ConfigureInterrupts gets impossible numbers",
  severity: "error",
  certainty: "established",
  source: "IOPCIFamily: ConfigureInterrupts(type, required, requested) refuses 0 and required > requested",
  needs: ["source"],
  why: "The second number is what the driver cannot do without, the third what it would like. A zero, or more required than requested, is kIOReturnBadArgument, and the driver has no interrupts.",
  fix: ["Order: type, required, requested; for example (kIOInterruptTypePCIMessagedX, 1, 5)."],
  who: "you",
  judge(evidence) {
    return perFunction(evidence, (one, file) =>
      one.calls.flatMap((call): Finding[] => {
        if (call.name !== "ConfigureInterrupts" || call.args.length < 3) return [];
        const [required, requested] = [numberOf(call.args[1]), numberOf(call.args[2])];
        const isWrong =
          required === 0 ||
          requested === 0 ||
          (required !== null && requested !== null && required > requested);
        if (!isWrong) return [];
        return [
          {
            score: 85,
            claim: `ConfigureInterrupts with ${call.args[1].text} required and ${call.args[2].text} requested is refused.`,
            because: [file.placeOf(call.node)],
            about: [nameOf(one)],
          },
        ];
      }),
    );
  },
};
