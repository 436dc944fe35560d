// FX-FREE-SUPER: free is overridden and does not call super::free.

import { absent } from "../../facts/statement.ts";
import type { Finding, Rule } from "../rule.ts";
import { isDext, isServiceMethod, nameOf, perFunction } from "../source-questions.ts";
import { superMacros } from "../super-calls.ts";

export const freeWithoutSuper: Rule = {
  id: "FX-FREE-SUPER",
  title: "free does not call super::free",
  severity: "warning",
  certainty: "established",
  source: "DriverKit: OSObject::free of the superclass gives the object's memory back",
  needs: ["source"],
  why: "The superclass's free gives back what it holds, at last the memory of the object itself. Without the call that stays for as long as the process lives.",
  fix: ["End free with super::free()."],
  who: "you",
  states: absent("function", "the call to super"),
  judge(evidence) {
    const stands = superMacros(evidence, "free");
    return perFunction(evidence, (one, file): Finding[] => {
      if (one.name !== "free" || one.className === "" || one.parameters.length > 0 || !isDext(file))
        return [];
      if (!isServiceMethod(evidence, one)) return [];
      const calls = one.calls.some(
        ({ name, scope, receiver }) =>
          name === "free" && receiver === null && scope !== "" && scope !== one.className,
      );
      if (calls || stands(one.body) || one.calls.some(({ args }) => args.at(-1)?.text === "SUPERDISPATCH"))
        return [];
      return [
        {
          score: 76,
          claim: `${nameOf(one)} does not call super::free().`,
          because: [file.placeOf(one.nameNode)],
          about: [one.className],
        },
      ];
    });
  },
};
