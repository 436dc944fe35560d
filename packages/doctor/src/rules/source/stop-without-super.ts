// FX-STOP-SUPER: Stop has a way out without the call to super.

import { absent } from "../../facts/statement.ts";
import { exitsWithout } from "../../source/paths.ts";
import type { SourceCall, SourceFunction } from "../../source/source-file.ts";
import type { Rule } from "../rule.ts";
import { isDext, isServiceMethod, nameOf, perFunction, sources } from "../source-questions.ts";
import { isSuperCall, superMacros } from "../super-calls.ts";

export const stopWithoutSuper: Rule = {
  id: "FX-STOP-SUPER",
  title: "Stop does not call super on every way",
  severity: "error",
  certainty: "established",
  source: "xnu IOUserServer: did stop is the call of super, and the kernel waits for it without a limit",
  needs: ["source"],
  why: "The kernel waits for super's Stop, and has no timeout for it. A way without the call keeps the service, its provider and their busy count until the process dies; the next device is not matched.",
  fix: ["Call Stop(provider, SUPERDISPATCH) on every way: at the end, or in the handler of the last Cancel."],
  who: "you",
  states: absent("function", "the call to super"),
  judge(evidence) {
    const stands = superMacros(evidence, "Stop");
    const helpers = new Set(
      sources(evidence).flatMap((file) =>
        file.functions
          .filter(
            (one) =>
              one.name !== "Stop" &&
              (one.calls.some((call) => isSuperCall(call, "Stop")) || stands(one.body)),
          )
          .map(({ name }) => name),
      ),
    );
    return perFunction(evidence, (one, file) => {
      if (one.name !== "Stop" || one.className === "" || !isDext(file) || !isDriver(one)) return [];
      if (!isServiceMethod(evidence, one)) return [];
      const counts = (call: SourceCall) => isSuperCall(call, "Stop") || helpers.has(call.name);
      const exits = exitsWithout(one.body, counts, stands);
      if (exits.length === 0) return [];
      return [
        {
          score: one.calls.some(counts) || stands(one.body) ? 78 : 84,
          claim:
            one.calls.some(counts) || stands(one.body)
              ? `${nameOf(one)} has a way out without the call to super.`
              : `${nameOf(one)} never calls super: the service never goes away.`,
          because: exits.map(({ node, isEnd }) => file.placeOf(isEnd ? one.nameNode : node)),
          about: [one.className],
        },
      ];
    });
  },
};

/** The framework's Stop has a provider; a Stop of somebody's own has not. */
function isDriver(one: SourceFunction): boolean {
  return (
    one.nameNode.text === "IMPL" ||
    (one.parameters.length === 1 && /\bIOService\s*\*/.test(one.parameters[0].type))
  );
}
