// DR11-4-CANCEL: interrupt sources that nobody cancels.

import { absent } from "../../facts/statement.ts";
import type { Rule } from "../rule.ts";
import { isDext, sources } from "../source-questions.ts";

export const sourceNeverCancelled: Rule = {
  id: "DR11-4-CANCEL",
  title: "An interrupt source is never cancelled",
  severity: "warning",
  certainty: "established",
  source: "DriverKit: IODispatchSource::Cancel; IOInterruptDispatchSource",
  needs: ["source"],
  why: "A source that is not cancelled before its queue goes lets its thread run into freed memory.",
  fix: [
    "In Stop: SetEnable(false), Cancel with a handler, and release source, action and queue in that handler; then call super.",
  ],
  who: "you",
  states: absent("source", "Cancel of the interrupt source"),
  judge(evidence) {
    // Only where a Stop is shown can its absence be a mistake; else it is a question.
    const files = sources(evidence).filter(isDext);
    const made = files.flatMap((file) =>
      file.functions.flatMap((one) =>
        one.calls
          .filter(({ name, scope }) => name === "Create" && scope === "IOInterruptDispatchSource")
          .map((call) => ({ file, call })),
      ),
    );
    if (made.length === 0 || files.some((file) => /\bCancel\s*\(/.test(file.text))) return [];
    const stop = files.some((file) => file.functions.some(({ name }) => name === "Stop"));
    return [
      {
        score: stop ? 66 : 35,
        claim: stop
          ? "Interrupt sources are made and never cancelled."
          : "Interrupt sources are made, and no teardown is shown: their lifetime cannot be judged.",
        because: made.map(({ file, call }) => file.placeOf(call.node)),
        ...(stop
          ? {}
          : {
              missing: [
                "Stop and free of the driver: where sources, actions and queues are cancelled and released",
              ],
            }),
      },
    ];
  },
};
