// FX-PLAIN-ACTION: a callback is given an action that was made without its type.

import type { Rule } from "../rule.ts";
import { nameOf, perFunction } from "../source-questions.ts";

export const plainActionDropsCallbacks: Rule = {
  id: "FX-PLAIN-ACTION",
  title: "An action made by OSAction::Create drops its callbacks",
  severity: "error",
  certainty: "likely",
  source:
    "code that the interface compiler generates accepts a callback only for the action class it generated; public dexts report the loss",
  needs: ["source"],
  why: "The generated dispatch code accepts a callback only from an action of its own class, the one that CreateAction<Method> makes. Callbacks of a plain OSAction are dropped without a line in the log.",
  fix: [
    "Declare the method with TYPE(...) in the .iig, and make its action with the generated CreateAction<Method>(referenceSize, &action).",
  ],
  who: "you",
  judge(evidence) {
    return perFunction(evidence, (one, file) =>
      one.calls
        .filter(({ name, scope }) => name === "Create" && scope === "OSAction")
        .map((call) => ({
          score: 70,
          claim: `${nameOf(one)} makes an action with OSAction::Create: its callbacks are dropped silently.`,
          because: [file.placeOf(call.node)],
          about: [one.className],
        })),
    );
  },
};
