// FX-TYPE-OVERRIDE: TYPE() is repeated on the override of a method.

import { isDriverKitBase, overridable } from "../../source/driverkit-names.ts";
import type { Rule } from "../rule.ts";
import { perSource } from "../source-questions.ts";

export const typeRepeated: Rule = {
  id: "FX-TYPE-OVERRIDE",
  title: "An override repeats TYPE() on its OSAction parameter",
  severity: "error",
  certainty: "likely",
  source: "a public SCSI dext notes that the interface compiler stops with an assertion",
  needs: ["source"],
  why: "The type of the action belongs to the method that introduces it. On an override the interface compiler stops with an assertion that does not name the line.",
  fix: ["Take TYPE(...) off the parameter of the override; it stays on methods of your own."],
  who: "you",
  judge(evidence) {
    return perSource(evidence, (file) =>
      file.classes.flatMap((one) => {
        const known = new Set(one.bases.filter(isDriverKitBase).flatMap((base) => [...overridable(base)]));
        return one.methods
          .filter(
            (method) =>
              known.has(method.name) &&
              method.annotations.some(({ name, start }) => name === "TYPE" && start < method.node.end),
          )
          .map((method) => ({
            score: 70,
            claim: `${one.name}::${method.name} overrides a method and repeats TYPE() on its action.`,
            because: [file.placeOf(method.node)],
            about: [one.name],
          }));
      }),
    );
  },
};
