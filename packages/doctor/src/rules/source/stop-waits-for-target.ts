// FX-STOP-TARGET: Stop waits for a target that needs the queue which Stop holds.

import type { Rule } from "../rule.ts";
import { nameOf, perFunction } from "../source-questions.ts";

export const stopWaitsForTarget: Rule = {
  id: "FX-STOP-TARGET",
  title: "Stop waits until a target is gone",
  severity: "error",
  certainty: "likely",
  source:
    "SCSIControllerDriverKit: targets are created and destroyed with calls to the default queue; the registry's busy timeout of 60 s as a panic (mrmidi/ASFireWire, 91cd3720, 925082a1)",
  needs: ["source"],
  why: "UserDestroyTargetForID and UserCreateTargetForID come back when the system has asked the driver on its default queue, and Stop holds that queue. Waiting for them in Stop, also by DispatchSync to another queue, ends in the registry's busy timeout: a panic after 60 seconds.",
  fix: [
    "Leave the targets to the framework: they go as children of the controller that stops.",
    "Set a flag that ends your own work, and give queues up in free.",
  ],
  who: "you",
  judge(evidence) {
    return perFunction(evidence, (one, file) => {
      if (one.name !== "Stop") return [];
      const waits = one.calls.filter(({ name, node }) => {
        if (!/^User(?:Create|Destroy)TargetForID$/.test(name)) return false;
        const block = node.above("lambda_expression");
        return (
          block === null ||
          one.calls.some(
            (call) => call.name === "DispatchSync" && call.args.some((each) => each.holds(block)),
          )
        );
      });
      return waits.map((call) => ({
        score: 82,
        claim: `${nameOf(one)} waits for ${call.name}, which needs the queue that Stop holds.`,
        because: [file.placeOf(call.node)],
        about: [one.className],
      }));
    });
  },
};
