// FX-PLAIN-ACTION: a callback is given an action that was made without its type.

import type { Evidence } from "../../evidence/evidence.ts";
import type { Rule } from "../rule.ts";
import { nameOf, perFunction, sources } from "../source-questions.ts";

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
        .flatMap((call) => {
          const method =
            new RegExp(`^${one.className}_(\\w+)_ID$`).exec(call.args[1]?.text ?? "")?.[1] ?? null;
          const isTyped = method === null ? null : isTypedMethod(evidence, one.className, method);
          // An action for a method without TYPE is a plain one, and its callbacks arrive.
          if (isTyped === false) return [];
          return [
            {
              score: isTyped === true ? 82 : 55,
              claim:
                isTyped === true
                  ? `${nameOf(one)} makes an action with OSAction::Create for ${method}, which has a TYPE: its callbacks are dropped silently.`
                  : `${nameOf(one)} makes an action with OSAction::Create: if its method is declared with TYPE, its callbacks are dropped silently.`,
              because: [file.placeOf(call.node)],
              about: [one.className],
              ...(isTyped === true ? {} : { missing: ["the .iig file that declares the method"] }),
            },
          ];
        }),
    );
  },
};

/** Null: the class, or the method in it, is not among these files. */
function isTypedMethod(evidence: Evidence, className: string, method: string): boolean | null {
  const found = sources(evidence)
    .flatMap(({ classes }) => classes)
    .filter(({ name }) => name === className)
    .flatMap(({ methods }) => methods)
    .filter(({ name }) => name === method);
  return found.length === 0
    ? null
    : found.some(({ annotations }) => annotations.some(({ name }) => name === "TYPE"));
}
