// FX-LOCK-WAIT: a lock is held over a call that waits for another queue.

import { keyOf } from "../../source/syntax.ts";
import type { Finding, Rule } from "../rule.ts";
import { nameOf, perFunction } from "../source-questions.ts";

export const lockOverWaitingCall: Rule = {
  id: "FX-LOCK-WAIT",
  title: "A lock is held over a call that waits",
  severity: "warning",
  certainty: "likely",
  source:
    "DriverKit: DispatchSync waits for its block and WakeAtTime is a call to the source's queue; a deadlock of two queues over one lock as a panic (mrmidi/ASFireWire, 3668c983)",
  needs: ["source"],
  why: "DispatchSync and WakeAtTime come back when another queue has answered. What runs there and takes the same lock waits for the caller, which waits for it.",
  fix: ["Note under the lock what has to be done, unlock, and make the call then."],
  who: "you",
  judge(evidence) {
    return perFunction(evidence, (one, file) =>
      one.calls.flatMap((lock): Finding[] => {
        if (lock.name !== "IOLockLock" || lock.args.length !== 1) return [];
        const key = keyOf(lock.args[0]);
        const block = lock.node.above("compound_statement");
        const isIn = (node: { readonly start: number; readonly end: number }) =>
          node.start > lock.node.end && node.end <= (block?.end ?? 0);
        const unlock = one.calls.find(
          ({ args, name, node }) =>
            name === "IOLockUnlock" && args.length === 1 && keyOf(args[0]) === key && isIn(node),
        );
        const waits = one.calls.find(
          ({ name, node, receiver }) =>
            /^(?:DispatchSync|WakeAtTime)$/.test(name) &&
            receiver !== null &&
            isIn(node) &&
            node.above("compound_statement") === block &&
            node.start < (unlock?.node.start ?? 0),
        );
        if (waits === undefined) return [];
        return [
          {
            score: 72,
            claim: `${waits.name} is called while the lock ${lock.args[0].text} is held: it waits for a queue, and what runs there may take the same lock.`,
            because: [file.placeOf(waits.node), file.placeOf(lock.node)],
            about: [nameOf(one)],
          },
        ];
      }),
    );
  },
};
