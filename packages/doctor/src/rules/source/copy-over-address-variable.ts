// DR02-2: memcpy to the address of the variable that holds the mapped address.

import { addressOf, bare, type SourceCall, type SourceFunction, valuesOf } from "../../source/source-file.ts";
import type { Finding, Rule } from "../rule.ts";
import { nameOf, perFunction } from "../source-questions.ts";

export const copyOverAddressVariable: Rule = {
  id: "DR02-2",
  title: "A copy goes over the variable that holds the address, not to the memory behind it",
  severity: "error",
  certainty: "established",
  source: "ISO C: memcpy writes to the object that its first argument points to",
  needs: ["source"],
  why: "The variable holds the address of the mapped memory. With & in front of it the copy lands in the variable itself: the buffer stays as it was allocated, zeros, and nothing crashes as long as the copy is not longer than the variable.",
  fix: [
    "Pass the address itself: memcpy(reinterpret_cast<void *>(address), data, length), without &.",
    "Better: write the fields byte by byte into the mapped memory, in the order that the standard says.",
  ],
  who: "you",
  judge(evidence) {
    return perFunction(evidence, (one, file) =>
      one.calls.flatMap((call): Finding[] => {
        const target = targetOf(call);
        if (target === null || !isAddressVariable(one, target)) return [];
        return [
          {
            score: 95,
            claim: `${call.name} copies over the variable ${target}, which holds the mapped address; the memory behind it stays unwritten.`,
            because: [file.placeOf(call.node)],
            about: [nameOf(one)],
          },
        ];
      }),
    );
  },
};

/** The variable whose own bytes a copying function overwrites; null for a proper destination. */
function targetOf(call: SourceCall): string | null {
  if (!/^(?:memcpy|memmove|memset|bcopy|bzero|strl?cpy)$/.test(call.name)) return null;
  const destination = call.args[call.name === "bcopy" ? 1 : 0];
  return destination === undefined ? null : addressOf(bare(destination));
}

function isAddressVariable(one: SourceFunction, key: string): boolean {
  return valuesOf(one.body, key).some(({ value }) => /\bGetAddress\s*\(|\.address\b/.test(value.text));
}
