// DR06-3: a class in an .iig file has data members.

import { isDriverKitBase } from "../../source/driverkit-names.ts";
import type { Rule } from "../rule.ts";
import { perSource } from "../source-questions.ts";

export const dataMembersInIig: Rule = {
  id: "DR06-3",
  title: "A class in an .iig file has data members",
  severity: "error",
  certainty: "established",
  source: "DriverKit: state lives in the struct that ivars points to",
  needs: ["source"],
  why: "The interface compiler takes methods only. State belongs into a struct that the .cpp defines and the generated ivars pointer points to; it is allocated in init and freed in free.",
  fix: [
    "Move the members into struct ClassName_IVars in the .cpp.",
    "Allocate it in init with IONewZero(ClassName_IVars, 1), free it in free with IOSafeDeleteNULL(ivars, ClassName_IVars, 1).",
  ],
  who: "you",
  judge(evidence) {
    return perSource(evidence, (file) =>
      file.language === "iig"
        ? file.classes
            .filter(({ bases, fields }) => fields.length > 0 && bases.some(isDriverKitBase))
            .map((one) => ({
              score: 90,
              claim: `${one.name} has data members in its .iig: ${one.fields.map(({ text }) => text.replace(/\s+/g, " ")).join(" ")}`,
              because: one.fields.map((field) => file.placeOf(field)),
              about: [one.name],
            }))
        : [],
    );
  },
};
