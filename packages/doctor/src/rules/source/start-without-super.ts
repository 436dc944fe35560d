// FX-START-SUPER: Start never calls super.

import { absent } from "../../facts/statement.ts";
import type { Rule } from "../rule.ts";
import { isClassKnown, isDext, isServiceMethod, nameOf, perFunction } from "../source-questions.ts";
import { isSuperCall, superMacros } from "../super-calls.ts";

export const startWithoutSuper: Rule = {
  id: "FX-START-SUPER",
  title: "Start never calls super",
  severity: "error",
  certainty: "established",
  source: "DriverKit: IOService::Start of the superclass comes first",
  needs: ["source"],
  why: "Start of the superclass brings the service up on the kernel's side, and a family's Start does all of the family's work. Without it the driver runs and nothing of the family does.",
  fix: [
    "Begin with ret = Start(provider, SUPERDISPATCH), and leave with ret when it is not kIOReturnSuccess.",
  ],
  who: "you",
  states: absent("function", "the call to super"),
  judge(evidence) {
    const stands = superMacros(evidence, "Start");
    return perFunction(evidence, (one, file) =>
      one.name === "Start" &&
      one.className !== "" &&
      isDext(file) &&
      isServiceMethod(evidence, one) &&
      (one.nameNode.text === "IMPL" || /\bIOService\s*\*/.test(one.parameters[0]?.type ?? "")) &&
      !one.calls.some((call) => isSuperCall(call, "Start")) &&
      !stands(one.body)
        ? [
            {
              score: 80,
              claim: `${nameOf(one)} never calls super${isClassKnown(evidence, one) ? "" : "; that its class is a service is taken from its parameter, the class is not in these files"}.`,
              because: [file.placeOf(one.nameNode)],
              about: [one.className],
            },
          ]
        : [],
    );
  },
};
