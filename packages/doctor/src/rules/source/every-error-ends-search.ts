// FX-LOOP-END: a loop over interrupt types takes every error for the end of the list.

import type { Finding, Rule } from "../rule.ts";
import { nameOf, perFunction } from "../source-questions.ts";

export const everyErrorEndsSearch: Rule = {
  id: "FX-LOOP-END",
  title: "Every error ends the search for interrupts",
  severity: "note",
  certainty: "established",
  source:
    "IOInterruptDispatchSource::GetInterruptType answers an error for a bad index, and for other reasons",
  needs: ["source"],
  why: "The loop ends at the first error, whatever it is. When the provider is going away, or the call itself fails, the driver believes that it has fewer interrupts than it has.",
  fix: [
    "Keep the status that ended the loop, and tell the end of the list from other errors; compare the number found with what ConfigureInterrupts was asked for.",
  ],
  who: "you",
  judge(evidence) {
    return perFunction(evidence, (one, file) =>
      one.calls.flatMap((call): Finding[] => {
        if (call.name !== "GetInterruptType") return [];
        const loop = call.node.above("for_statement", "while_statement", "do_statement");
        const test = call.node.above("if_statement");
        if (
          loop === null ||
          test === null ||
          !loop.holds(test) ||
          !(test.child("condition")?.holds(call.node) ?? false)
        )
          return [];
        if (test.child("consequence")?.all("break_statement").length !== 1) return [];
        return [
          {
            score: 40,
            claim: `${nameOf(one)} takes every error of GetInterruptType for the end of the list.`,
            because: [file.placeOf(call.node)],
            about: [nameOf(one)],
          },
        ];
      }),
    );
  },
};
