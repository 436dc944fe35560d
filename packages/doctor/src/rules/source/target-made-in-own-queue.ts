// DR19-7: userCreateTargetForID is called where its commands have to run.

import type { Rule } from "../rule.ts";
import { nameOf, perFunction } from "../source-questions.ts";

export const targetMadeInOwnQueue: Rule = {
  id: "DR19-7",
  title: "UserCreateTargetForID is called where its commands have to run",
  severity: "error",
  certainty: "established",
  source:
    "SCSIControllerDriverKit: UserCreateTargetForID waits for INQUIRY commands that arrive on the default queue",
  needs: ["source"],
  why: "UserCreateTargetForID asks the new target with INQUIRY before it returns. Called from Start or UserStartController it holds the default queue on which these commands would be processed: the call never returns, and the controller stays busy.",
  fix: [
    "Dispatch it to a queue of your own, after UserStartController has returned.",
    "Install a queue named AuxiliaryQueue for the call, and answer commands meanwhile.",
  ],
  who: "you",
  judge(evidence) {
    return perFunction(evidence, (one, file) =>
      one.name !== "Start" && one.name !== "UserStartController"
        ? []
        : one.calls
            .filter(
              ({ name, node }) =>
                name === "UserCreateTargetForID" && node.above("lambda_expression") === null,
            )
            .map((call) => ({
              score: 85,
              claim: `${nameOf(one)} calls UserCreateTargetForID and holds the default queue until it returns.`,
              because: [file.placeOf(call.node)],
              about: [one.className],
            })),
    );
  },
};
