// NT-806670: userProcessParallelTask was moved to a queue of its own.

import type { Finding, Rule } from "../rule.ts";

export const ntx806670: Rule = {
  id: "NT-806670",
  title: "UserProcessParallelTask was moved to a queue of its own",
  severity: "error",
  certainty: "likely",
  source: "forum thread 806670",
  needs: ["source", "panic report"],
  why: "The family calls UserProcessParallelTask on the queue that it expects, together with the mapping of the task's memory. Given a queue of its own by QUEUENAME the method runs beside the family's other calls, and the machine panics.",
  fix: [
    "Leave UserProcessParallelTask on the default queue; take QUEUENAME off it.",
    "Move the work that follows to a queue of yours with an asynchronous hop.",
  ],
  who: "you",
  judge(evidence) {
    const panics = evidence.facts("panic");
    return evidence.facts("source").flatMap(({ place, value }): Finding[] => {
      const match =
        /\bUserProcessParallelTask\s*\([^;{}]{0,600}?\)[^;{}]{0,200}?\bQUEUENAME\s*\(\s*(\w+)\s*\)/.exec(
          value.text,
        );
      if (match === null) return [];
      return [
        {
          score: panics.length > 0 ? 86 : 62,
          claim: `UserProcessParallelTask runs on the queue ${match[1]}; the family expects it on the default queue${panics.length > 0 ? ", and the machine panicked" : ""}.`,
          because: [place, ...panics.slice(0, 1).map((panic) => panic.place)],
          about: [match[1]],
        },
      ];
    });
  },
};
