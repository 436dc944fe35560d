// DR11-5: sleeping on a queue that was made without the Reentrant option.

import { addressOf, numberOf, type SourceCall, type SourceFile } from "../../source/source-file.ts";
import { keyOf } from "../../source/syntax.ts";
import type { Finding, Rule } from "../rule.ts";
import { nameOf, perFunction, sources } from "../source-questions.ts";

export const sleepOnPlainQueue: Rule = {
  id: "DR11-5",
  title: "Sleep and Wakeup on a plain queue do nothing",
  severity: "error",
  certainty: "established",
  source:
    "DriverKit runtime of macOS 15: a queue without kIODispatchQueueReentrant answers kIOReturnNotReady 0xe00002d8",
  needs: ["source"],
  why: "Only a queue that was created with kIODispatchQueueReentrant can be given up while waiting. On any other one Sleep, SleepWithDeadline and Wakeup answer 0xe00002d8 at once: what should have waited goes on.",
  fix: [
    "Create the queue with kIODispatchQueueReentrant, and expect other work to run in the gap; or do not wait: keep the request and go on in the completion.",
    "Look at the result of Sleep.",
  ],
  who: "you",
  judge(evidence) {
    const plain = new Map<string, { readonly call: SourceCall; readonly file: SourceFile }>();
    const reentrant = new Set<string>();
    for (const file of sources(evidence)) {
      for (const call of file.functions.flatMap((one) => one.calls)) {
        if (call.name !== "Create" || call.scope !== "IODispatchQueue") continue;
        const queue = addressOf(call.args[3]);
        if (queue === null) continue;
        if (numberOf(call.args[1]) === 0) plain.set(queue, { call, file });
        else reentrant.add(queue);
      }
    }
    return perFunction(evidence, (one, file) =>
      one.calls.flatMap((call): Finding[] => {
        if (
          !/^(?:Sleep(?:WithDeadline|WithTimeout)?|Wakeup(?:WithOptions)?)$/.test(call.name) ||
          call.receiver === null
        )
          return [];
        const queue = keyOf(call.receiver);
        const made = plain.get(queue);
        if (made === undefined || reentrant.has(queue)) return [];
        return [
          {
            score: 84,
            claim: `${call.name} on ${call.receiver.text} answers 0xe00002d8 and does nothing: the queue was created with options 0.`,
            because: [file.placeOf(call.node), made.file.placeOf(made.call.node)],
            about: [nameOf(one)],
          },
        ];
      }),
    );
  },
};
