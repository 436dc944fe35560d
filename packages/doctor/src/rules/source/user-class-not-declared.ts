// FX-USER-CLASS: a personality names a class that no .iig file declares.

import { editDistance } from "@drydock/core/base/near-names";
import { absent } from "../../facts/statement.ts";
import { personalities } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";
import { sources } from "../source-questions.ts";

export const userClassNotDeclared: Rule = {
  id: "FX-USER-CLASS",
  title: "A personality names a class that the source does not declare",
  severity: "error",
  certainty: "established",
  source:
    "DriverKit: the process makes the class that IOUserClass names, from the class descriptions it was built with",
  needs: ["source", "Info.plist"],
  why: "The system asks the driver's process for the class that IOUserClass names. When no .iig file declares it, the process has no such class and the service never starts.",
  fix: ["Give IOUserClass the name of a class that an .iig file of the target declares, letter by letter."],
  who: "you",
  states: absent("source", "the class that IOUserClass names"),
  judge(evidence) {
    const files = sources(evidence);
    if (!files.some(({ language }) => language === "iig")) return [];
    const declared = new Set(files.flatMap(({ classes }) => classes.map(({ name }) => name)));
    return personalities(evidence).flatMap(({ name, value, placeOf }): Finding[] => {
      const wanted = value.IOUserClass;
      if (typeof wanted !== "string" || declared.has(wanted) || wanted.includes("$(")) return [];
      return [
        {
          // Not all sources need be here; a class whose name is nearly the same is.
          score: [...declared].some((name) => isNearly(name, wanted)) ? 82 : 45,
          claim: `The personality ${name} names the class ${wanted}, and no source here declares it (there is ${[...declared].join(", ")}).`,
          because: [placeOf("IOUserClass")],
          about: [wanted],
        },
      ];
    });
  },
};

/** The same letters in another case, or at most two of them wrong, missing or too many. */
function isNearly(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase() || editDistance(left, right) <= 2;
}
