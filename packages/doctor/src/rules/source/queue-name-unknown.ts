// FX-QUEUE-NAME: SetDispatchQueue with a name that no QUEUENAME of the class has.

import type { Finding, Rule } from "../rule.ts";
import { perFunction, sources } from "../source-questions.ts";

export const queueNameUnknown: Rule = {
  id: "FX-QUEUE-NAME",
  title: "A queue is installed under a name that the class does not have",
  severity: "error",
  certainty: "established",
  source: "xnu IOUserServer: names other than Default and those of QUEUENAME are kIOReturnBadArgument",
  needs: ["source"],
  why: "SetDispatchQueue takes Default and the names that QUEUENAME gives in the class or its superclasses. Any other name is refused with kIOReturnBadArgument 0xe00002c2, and the methods stay on the default queue.",
  fix: ["Write QUEUENAME(name) behind the methods that shall run there, with exactly this name."],
  who: "you",
  judge(evidence) {
    const files = sources(evidence);
    const declared = new Set(
      files.flatMap(({ annotations }) =>
        annotations
          .filter(({ name }) => name === "QUEUENAME")
          .map(({ argument }) => argument.replace(/"/g, "")),
      ),
    );
    const classes = new Map(
      files
        .filter(({ language }) => language === "iig")
        .flatMap((file) => file.classes.map((one) => [one.name, one] as const)),
    );
    return perFunction(evidence, (one, file) =>
      one.calls.flatMap((call): Finding[] => {
        const name = /^"([^"]*)"$/.exec(call.args[0]?.text ?? "")?.[1];
        const owner = classes.get(one.className);
        if (
          call.name !== "SetDispatchQueue" ||
          name === undefined ||
          owner === undefined ||
          call.receiver !== null
        )
          return [];
        if (!owner.bases.every((base) => base === "IOService" || base === "IOUserClient")) return [];
        if (name === "Default" || declared.has(name) || /^IOUserClientQueue/.test(name)) return [];
        return [
          {
            score: 80,
            claim: `SetDispatchQueue("${name}") is refused with 0xe00002c2: no QUEUENAME of ${one.className} has this name.`,
            because: [file.placeOf(call.node)],
            about: [one.className],
          },
        ];
      }),
    );
  },
};
