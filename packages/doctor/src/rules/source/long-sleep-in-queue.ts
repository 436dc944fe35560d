// FX-LONG-SLEEP: work on a queue sleeps for a second or more.

import { numberOf } from "../../source/source-file.ts";
import type { Finding, Rule } from "../rule.ts";
import { nameOf, perFunction } from "../source-questions.ts";

/** Milliseconds from which somebody else's wait is felt. */
const longMs = 1000;

export const longSleepInQueue: Rule = {
  id: "FX-LONG-SLEEP",
  title: "Work on a queue sleeps for seconds",
  severity: "warning",
  certainty: "established",
  source:
    "DriverKit: IOSleep blocks the calling thread, and a serial queue carries nothing else out meanwhile",
  needs: ["source"],
  why: "A queue carries out one thing after another. While a block sleeps there, interrupts, completions and the calls of the system that use the same queue wait, Stop among them.",
  fix: ["Arm an IOTimerDispatchSource and go on in its handler."],
  who: "you",
  judge(evidence) {
    return perFunction(evidence, (one, file) =>
      one.calls.flatMap((call): Finding[] => {
        const ms = call.name === "IOSleep" ? numberOf(call.args[0]) : null;
        if (ms === null || ms < longMs) return [];
        const block = call.node.above("lambda_expression");
        const queue = one.calls.find(
          ({ name, receiver, args }) =>
            /^Dispatch(?:Async|Sync)$/.test(name) &&
            receiver !== null &&
            block !== null &&
            args.some((argument) => argument.holds(block)),
        );
        if (queue?.receiver == null) return [];
        return [
          {
            score: 74,
            claim: `IOSleep(${ms}) holds ${queue.receiver.text}: nothing else of that queue runs meanwhile.`,
            because: [file.placeOf(call.node), file.placeOf(queue.node)],
            about: [nameOf(one)],
          },
        ];
      }),
    );
  },
};
