// DR11-3: interrupt sources are made for 0..count-1, where the count is of entries anywhere in the list.

import { bare, type SourceFunction } from "../../source/source-file.ts";
import { keyOf } from "../../source/syntax.ts";
import type { Finding, Rule } from "../rule.ts";
import { nameOf, perSource } from "../source-questions.ts";

export const interruptsByCount: Rule = {
  id: "DR11-3",
  title: "Interrupt sources are made by count, not by the indices that were found",
  severity: "error",
  certainty: "established",
  source: "IOPCIFamily: message-signalled vectors are appended to the specifiers that are there",
  needs: ["source"],
  why: "The loop counts entries of one type wherever they stand in the provider's list, and then takes 0 to count - 1 as their indices. When a legacy line stands first, source 0 is that line and the last vector has no source: its completions never come.",
  fix: [
    "Remember the indices themselves while counting, and make each source with the index that was remembered.",
  ],
  who: "you",
  judge(evidence) {
    return perSource(evidence, (file) => {
      const counts = new Set(file.functions.flatMap((one) => countedEntries(one)));
      return file.functions.flatMap((one) =>
        one.calls.flatMap((call): Finding[] => {
          if (call.name !== "Create" || call.scope !== "IOInterruptDispatchSource" || call.args.length < 4)
            return [];
          const loop = call.node.above("for_statement", "while_statement", "do_statement");
          const index = bare(call.args[1]);
          if (loop === null || index.kind !== "identifier") return [];
          const limit = loop.child("condition")?.all("identifier", "field_expression") ?? [];
          const count = limit.map(keyOf).find((key) => counts.has(key) && key !== keyOf(index));
          if (count === undefined || !limit.some((node) => keyOf(node) === keyOf(index))) return [];
          return [
            {
              score: 88,
              claim: `${nameOf(one)} makes sources for the indices 0 to ${count} - 1, and ${count} counts entries that may stand anywhere in the list.`,
              because: [file.placeOf(call.node), file.placeOf(loop)],
              about: [one.className],
              missing: ["the interrupt specifiers of the device: ioreg -l -w0 > ioreg.txt"],
            },
          ];
        }),
      );
    });
  },
};

/** Variables that are counted up in a loop over GetInterruptType, and what is computed from them; not the loop's own index. */
function countedEntries(one: SourceFunction): string[] {
  const counts = new Set<string>();
  for (const call of one.calls) {
    if (call.name !== "GetInterruptType") continue;
    const loop = call.node.above("for_statement", "while_statement", "do_statement");
    const index = call.args[1] === undefined ? "" : keyOf(call.args[1]);
    for (const update of loop?.all("update_expression") ?? []) {
      const counted = update.child("argument");
      // vectors[n++] = index remembers the index: the count is then only a count.
      if (
        counted === null ||
        keyOf(counted) === index ||
        update.above("subscript_argument_list", "subscript_expression")
      )
        continue;
      counts.add(keyOf(counted));
    }
  }
  for (const node of one.body.all("assignment_expression", "init_declarator")) {
    const value = node.child("right") ?? node.child("value");
    const left = node.child("left") ?? node.child("declarator");
    if (value !== null && left !== null && counts.has(keyOf(value))) counts.add(keyOf(left));
  }
  return [...counts];
}
