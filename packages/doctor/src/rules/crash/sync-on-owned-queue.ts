// DR11-1: dispatch_sync was called on a queue whose state says: owned by this thread.

import { crashedThread } from "../../facts/crash-report.ts";
import type { Finding, Rule } from "../rule.ts";

export const syncOnOwnedQueue: Rule = {
  id: "DR11-1",
  title: "dispatch_sync was called on a queue whose state says: owned by this thread",
  severity: "error",
  certainty: "established",
  source: "libdispatch-1542 trap text; DriverKit runtime of the 15.0 to 15.3 generation",
  needs: ["crash report"],
  why: "The trap is a statement about the queue's state word, not about the stack. With driver frames between two sync frames it is re-entry that bypassed the runtime's check. With nothing but the interrupt source's thread below DispatchSync_f two book-keepings disagree: the queue was released or re-created while its source's thread lives, or its memory was overwritten. Nesting through the framework runs inline and Sleep on such a queue is refused, so both are excluded.",
  fix: [
    "Keep one queue per source, created once, retained until the source's Cancel handler has run; never re-create it on a reset path.",
    "On Stop: SetEnable(false), Cancel, wait for the handler, then release.",
    "Run with poisoned memory round command and sense buffers; look for a release too many.",
  ],
  who: "you",
  judge(evidence) {
    return evidence.facts("crash").flatMap(({ place, value }): Finding[] => {
      if (!value.information.some((line) => /dispatch_sync called on queue already owned/.test(line)))
        return [];
      const frames = crashedThread(value)?.frames ?? [];
      const below = frames.slice(frames.findIndex(({ symbol }) => /DispatchSync_f/.test(symbol)) + 1);
      const own = below.find(
        ({ symbol, image }) =>
          symbol !== "" &&
          !/IOInterruptDispatchSource|DriverKit|dispatch|pthread|thread_start/.test(`${image} ${symbol}`),
      );
      const isClean =
        own === undefined && below.some(({ symbol }) => /IOInterruptDispatchSource/.test(symbol));
      const cause = /Abort Cause (\d{1,20})/.exec(value.information.join("\n"))?.[1];
      const owner =
        cause === undefined
          ? ""
          : ` The state word names the owner port 0x${(BigInt(cause) & 0xfffffffcn).toString(16)}.`;
      const text = isClean
        ? "The interrupt source's own thread was told that it owns its queue already, with no driver frame on its stack: the queue was released, re-created or overwritten."
        : own === undefined
          ? "A dispatch_sync waited for a queue whose state word names this very thread."
          : `${own.symbol} waits for a queue that its thread already owns.`;
      return [
        {
          score: 94,
          claim: text + owner,
          because: [place],
          missing: ["where queues and sources are created and released"],
        },
      ];
    });
  },
};
