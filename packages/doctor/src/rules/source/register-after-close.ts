// FX-AFTER-CLOSE: a register is accessed after Close in the same function.

import { keyOf } from "../../source/syntax.ts";
import type { Finding, Rule } from "../rule.ts";
import { nameOf, perFunction } from "../source-questions.ts";

export const registerAfterClose: Rule = {
  id: "FX-AFTER-CLOSE",
  title: "A register is accessed after Close",
  severity: "error",
  certainty: "established",
  source:
    "IOPCIFamily: Close drops the mappings and keeps their count, so an access dereferences a null array",
  needs: ["source"],
  why: "Close takes the mappings away. MemoryRead and MemoryWrite after it go through a null array: EXC_BAD_ACCESS at a tiny address, and the dext is gone.",
  fix: ["Do everything with registers before Close, and close last, just before super Stop."],
  who: "you",
  judge(evidence) {
    return perFunction(evidence, (one, file) =>
      one.calls.flatMap((close): Finding[] => {
        if (close.name !== "Close" || close.receiver === null) return [];
        const device = keyOf(close.receiver);
        const block = close.node.above("compound_statement");
        const late = one.calls.find(
          ({ name, receiver, node }) =>
            /^Memory(?:Read|Write)\d+$/.test(name) &&
            receiver !== null &&
            keyOf(receiver) === device &&
            node.start > close.node.end &&
            (block?.holds(node) ?? false),
        );
        if (late === undefined) return [];
        return [
          {
            score: 86,
            claim: `${late.name} comes after ${close.node.text}: the mapping is gone.`,
            because: [file.placeOf(late.node), file.placeOf(close.node)],
            about: [nameOf(one)],
          },
        ];
      }),
    );
  },
};
