// DR11-4: several queues get one name.

import type { Finding, Rule } from "../rule.ts";
import { nameOf, perFunction } from "../source-questions.ts";

export const queueNamesCollide: Rule = {
  id: "DR11-4",
  title: "Several queues get one name",
  severity: "warning",
  certainty: "established",
  source: "DriverKit: IODispatchQueue; libdispatch names the queue in a crash report",
  needs: ["source"],
  why: "Several queues of one name make a crash report unreadable, and a lookup by name ambiguous.",
  fix: ["Give each queue a name of its own, for example with the number of its vector in it."],
  who: "you",
  judge(evidence) {
    return perFunction(evidence, (one, file) => {
      const made = one.calls.filter(
        ({ name, scope, args }) =>
          name === "Create" && scope === "IODispatchQueue" && args[0]?.kind === "string_literal",
      );
      return made.flatMap((call, position): Finding[] => {
        const name = call.args[0].text;
        const earlier = made.findIndex((other) => other.args[0].text === name);
        const isInLoop = call.node.above("for_statement", "while_statement", "do_statement") !== null;
        if (position === earlier ? !isInLoop : false) return [];
        return [
          {
            score: 62,
            claim: `Several queues get the name ${name}.`,
            because: [file.placeOf(call.node)],
            about: [nameOf(one)],
          },
        ];
      });
    });
  },
};
