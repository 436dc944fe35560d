// FX-TASK-QUEUE: UserProcessParallelTask is moved to a queue of its own.

import type { Rule } from "../rule.ts";
import { perSource } from "../source-questions.ts";

export const taskOnOwnQueue: Rule = {
  id: "FX-TASK-QUEUE",
  title: "UserProcessParallelTask is bound to a queue of its own",
  severity: "error",
  certainty: "likely",
  source: "Apple Developer Forums thread 806670: the kernel panics",
  needs: ["source"],
  why: "The family expects UserProcessParallelTask on the default queue. One developer who bound it to another queue by QUEUENAME got kernel panics.",
  fix: [
    "Take QUEUENAME off the method; give the work to another queue from inside it, and complete from there.",
  ],
  who: "you",
  judge(evidence) {
    return perSource(evidence, (file) =>
      file.classes.flatMap((one) =>
        one.methods
          .filter(
            ({ name, annotations }) =>
              name === "UserProcessParallelTask" && annotations.some((word) => word.name === "QUEUENAME"),
          )
          .map(({ node }) => ({
            score: 76,
            claim: `${one.name} binds UserProcessParallelTask to a queue of its own.`,
            because: [file.placeOf(node)],
            about: [one.name],
          })),
      ),
    );
  },
};
