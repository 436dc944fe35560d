// DR11-6: an action was cancelled twice, or without a queue.

import { watch } from "../../evidence/watch.ts";
import { crashedThread } from "../../facts/crash-report.ts";
import { spoken } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";

const assertion = watch(["uioserver.cpp"], /uioserver\.cpp/);

export const actionCancelledTwice: Rule = {
  id: "DR11-6",
  title: "An action was cancelled twice, or without a queue",
  severity: "error",
  certainty: "likely",
  source: "assertion in the DriverKit runtime (uioserver.cpp); a separate thread of the same forum",
  needs: ["crash report", "log"],
  why: "OSAction::Cancel asserts in the runtime when the action has been cancelled before, or when its target has no queue any more to run the cancellation on.",
  fix: [
    "Cancel each action once; keep a flag, and clear the member before you release it.",
    "Cancel actions before the queue of their target is released, and wait for the handler.",
  ],
  who: "you",
  watches: [assertion],
  judge(evidence) {
    const crashes = evidence
      .facts("crash")
      .filter(({ value }) =>
        (crashedThread(value)?.frames ?? []).some(({ symbol }) => /\bOSAction::Cancel\b/.test(symbol)),
      );
    const said = spoken(evidence, assertion);
    if (crashes.length > 0)
      return crashes.map(
        ({ place }): Finding => ({
          score: said.length > 0 ? 92 : 78,
          claim: "OSAction::Cancel asserted: the action was cancelled before, or its queue is gone.",
          because: [place, ...said.slice(0, 2).map((hit) => hit.place)],
          missing: ["where the driver cancels and releases this action"],
        }),
      );
    return said
      .filter((hit) => /OSAction|Cancel/.test(hit.place.text))
      .slice(0, 1)
      .map(
        (hit): Finding => ({
          score: 72,
          claim:
            "The runtime asserted in OSAction::Cancel: the action was cancelled before, or its queue is gone.",
          because: [hit.place],
          missing: ["the crash report with all threads"],
        }),
      );
  },
};
