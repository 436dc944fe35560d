// DR15-2: SetPowerState has a way out without the call to super.

import { absent } from "../../facts/statement.ts";
import { exitsWithout } from "../../source/paths.ts";
import type { Syntax } from "../../source/syntax.ts";
import type { Rule } from "../rule.ts";
import { isDext, nameOf, perFunction, sources } from "../source-questions.ts";
import { isSuperCall, superMacros } from "../super-calls.ts";

export const powerWithoutSuper: Rule = {
  id: "DR15-2",
  title: "SetPowerState does not call super on every way",
  severity: "error",
  certainty: "established",
  source:
    "xnu IOUserServer: the call of super is the acknowledgement; 20 s after a success without it the kernel panics",
  needs: ["source"],
  why: "The call of super's SetPowerState is the acknowledgement. A way that answers kIOReturnSuccess without it leaves the change pending, and 20 seconds later the kernel panics, because the controlling code is Apple's.",
  fix: [
    "Call SetPowerState(powerFlags, SUPERDISPATCH) on every way, once; what takes time goes on after it.",
    "When it cannot be done, answer an error: that counts as an acknowledgement.",
  ],
  who: "you",
  states: absent("function", "the call to super"),
  judge(evidence) {
    const stands = superMacros(evidence, "SetPowerState");
    const helpers = new Set(
      sources(evidence).flatMap((file) =>
        file.functions
          .filter(
            (one) =>
              one.name !== "SetPowerState" &&
              (one.calls.some((call) => isSuperCall(call, "SetPowerState")) || stands(one.body)),
          )
          .map(({ name }) => name),
      ),
    );
    return perFunction(evidence, (one, file) => {
      if (one.name !== "SetPowerState" || !isDext(file)) return [];
      const exits = exitsWithout(
        one.body,
        (call) => isSuperCall(call, "SetPowerState") || helpers.has(call.name),
        stands,
      ).filter(({ node, isEnd }) => isEnd || !isError(node));
      if (exits.length === 0) return [];
      const isNever =
        !stands(one.body) &&
        !one.calls.some((call) => isSuperCall(call, "SetPowerState") || helpers.has(call.name));
      return [
        {
          score: isNever ? 92 : 84,
          claim: isNever
            ? `${nameOf(one)} never calls super: nothing acknowledges the change.`
            : `${nameOf(one)} has ${exits.length === 1 ? "a way" : `${exits.length} ways`} out without the call to super.`,
          because: exits.map(({ node, isEnd }) => file.placeOf(isEnd ? one.nameNode : node)),
          about: [one.className],
        },
      ];
    });
  },
};

/** An answer that is surely no success: a code by name, or a status that was just found to be one. */
function isError(exit: Syntax): boolean {
  const value = exit.children[0];
  if (value === undefined) return false;
  if (/^kIOReturn(?!Success\b)\w+$|^k\w+Err(?:or)?$/.test(value.text)) return true;
  const test = exit.above("if_statement")?.child("condition")?.text.replace(/\s/g, "") ?? "";
  return (
    value.kind === "identifier" &&
    (test.includes(`${value.text}!=kIOReturnSuccess`) ||
      test.includes(`kIOReturnSuccess!=${value.text}`) ||
      test === `(${value.text})`)
  );
}
