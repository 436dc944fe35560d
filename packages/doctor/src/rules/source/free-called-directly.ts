// FX-FREE: free() is called on an object, where release() gives it back.

import { receiverType } from "../../source/receiver-types.ts";
import type { Finding, Rule } from "../rule.ts";
import { isDext, nameOf, perFunction, sources } from "../source-questions.ts";

export const freeCalledDirectly: Rule = {
  id: "FX-FREE",
  title: "free() is called on an object instead of release()",
  severity: "error",
  certainty: "established",
  source: "DriverKit: OSObject::free is called by the last release",
  needs: ["source"],
  why: "free is what the last release calls. Calling it directly destroys the object under everybody else who holds it; their next use or release touches freed memory.",
  fix: ["Call release() instead, or OSSafeReleaseNULL(member), which clears the member too."],
  who: "you",
  judge(evidence) {
    const all = sources(evidence);
    return perFunction(evidence, (one, file): Finding[] => {
      if (!isDext(file)) return [];
      const calls = one.calls.filter((call) => {
        if (call.name !== "free" || call.receiver === null || call.args.length > 0) return false;
        if (/^(?:super|this)$/.test(call.receiver.text)) return false;
        const type = receiverType(call, one, file, all);
        return type === null ? /\b(?:ivars|iv)\b/.test(call.receiver.text) : /^(?:IO|OS)[A-Z]/.test(type);
      });
      if (calls.length === 0) return [];
      const names = [...new Set(calls.map(({ receiver }) => receiver?.text ?? ""))].join(" and ");
      return [
        {
          score: 84,
          claim: `${nameOf(one)} calls free() on ${names}: release() is the call, others may still hold ${calls.length === 1 ? "it" : "them"}.`,
          because: calls.map(({ node }) => file.placeOf(node)),
          about: [one.className],
        },
      ];
    });
  },
};
