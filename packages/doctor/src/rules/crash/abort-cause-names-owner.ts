// DR11-2: the abort cause of a libdispatch trap names the owner of the queue.

import { hex } from "@drydock/core/base/text";
import type { Finding, Rule } from "../rule.ts";

export const abortCauseNamesOwner: Rule = {
  id: "DR11-2",
  title: "The abort cause of a libdispatch trap names the owner of the queue",
  severity: "note",
  certainty: "established",
  source: "libdispatch-1542: the owner is in the low 32 bits of the queue's state word, mask fffffffch",
  needs: ["crash report"],
  why: "The number after Abort Cause is the queue's state word. Its low 32 bits without the last two are the port of the thread that the word calls the owner; it is a statement about the word, not about the stack.",
  fix: [
    "Compare the port with the ports of all threads: one that belongs to no thread means that the word was overwritten or its memory reused.",
    "Ask for all threads of the report, the OS build and the history of releases of that queue.",
  ],
  who: "you",
  judge(evidence) {
    return evidence.facts("crash").flatMap(({ place, value }): Finding[] => {
      const cause = /Abort Cause (\d{1,20})/.exec(value.information.join("\n"))?.[1];
      // Semaphores and groups abort with a word of their own, which is no queue's.
      const isQueue =
        value.information.some((line) => /\bqueue\b/.test(line)) ||
        value.threads.some((thread) => thread.frames.some(({ symbol }) => symbol.includes("WAIT_FOR_QUEUE")));
      if (cause === undefined || !isQueue) return [];
      const word = BigInt(cause);
      const owner = Number(word & 0xfffffffcn);
      return [
        {
          score: 40,
          claim:
            owner === 0
              ? `The state word 0x${word.toString(16)} names no owner, so the trap contradicts it: it changed meanwhile.`
              : `The state word 0x${word.toString(16)} names the thread with port 0x${hex(owner)} as the queue's owner.`,
          because: [place],
          missing: ["the ports of all threads of the process"],
        },
      ];
    });
  },
};
