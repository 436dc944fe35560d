// FX-OVERRIDE: a framework method is declared again without override.

import { isDriverKitBase, isFrameworkName, overridable } from "../../source/driverkit-names.ts";
import type { SourceMethod } from "../../source/source-file.ts";
import type { Finding, Rule } from "../rule.ts";
import { perSource } from "../source-questions.ts";
import { isKext } from "../source-targets.ts";

export const overrideMissing: Rule = {
  id: "FX-OVERRIDE",
  title: "A method of the framework is declared without override",
  severity: "warning",
  certainty: "established",
  source:
    "DriverKit's interface files declare these methods virtual; the interface compiler knows an override by the word",
  needs: ["source"],
  why: "Without override the declaration is a new method that happens to have a known name. A wrong parameter then goes unnoticed, and the interface compiler makes a method of its own instead of answering the framework's.",
  fix: ["Write override behind each of them, with exactly the superclass's parameters."],
  who: "you",
  judge(evidence) {
    return perSource(evidence, (file) =>
      isKext(file)
        ? []
        : file.classes.flatMap((one): Finding[] => {
            if (isFrameworkName(one.name)) return [];
            const known = new Set(
              one.bases.filter(isDriverKitBase).flatMap((base) => [...overridable(base)]),
            );
            const missing = one.methods.filter(
              (method) => known.has(method.name) && !method.isOverride && !isOverload(method),
            );
            if (missing.length === 0) return [];
            return [
              {
                score: 72,
                claim: `${one.name} declares ${missing.map(({ name }) => name).join(", ")} without override.`,
                because: missing.map(({ node }) => file.placeOf(node)),
                about: [one.name],
              },
            ];
          }),
    );
  },
};

/** The framework's init and free take nothing: with parameters they are methods of the driver's own. */
function isOverload({ name, node }: SourceMethod): boolean {
  if (name !== "init" && name !== "free") return false;
  return node.all("parameter_declaration").some(({ text }) => text !== "void");
}
