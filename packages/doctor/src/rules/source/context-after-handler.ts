// DR11-4-CONTEXT: an action's reference is filled after its handler was set.

import { keyOf } from "../../source/syntax.ts";
import type { Finding, Rule } from "../rule.ts";
import { nameOf, perFunction } from "../source-questions.ts";

export const contextAfterHandler: Rule = {
  id: "DR11-4-CONTEXT",
  title: "The context of a handler is filled after SetHandler",
  severity: "warning",
  certainty: "established",
  source: "DriverKit: IOInterruptDispatchSource::SetHandler, OSAction::GetReference",
  needs: ["source"],
  why: "A context that is taken after SetHandler is missing when the first interrupt is quick.",
  fix: ["Fill the action's reference before SetHandler, and enable the source last."],
  who: "you",
  judge(evidence) {
    return perFunction(evidence, (one, file) => {
      const taken = one.calls.filter(({ name }) => name === "GetReference");
      return taken.flatMap((call): Finding[] => {
        const handler = one.calls.find(
          ({ name, node, args }) =>
            name === "SetHandler" &&
            node.start < call.node.start &&
            args.some((arg) => call.receiver !== null && keyOf(arg) === keyOf(call.receiver)),
        );
        if (handler === undefined) return [];
        return [
          {
            score: 58,
            claim: `The reference of ${call.receiver?.text} is filled after SetHandler: the first interrupt may come before it.`,
            because: [file.placeOf(call.node), file.placeOf(handler.node)],
            about: [nameOf(one)],
          },
        ];
      });
    });
  },
};
