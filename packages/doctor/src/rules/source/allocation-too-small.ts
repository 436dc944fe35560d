// FX-ALLOC-SIZE: memory for a struct is allocated with less than the struct needs.

import { bare, numberOf, type SourceFunction, valuesOf } from "../../source/source-file.ts";
import { keyOf, type Syntax } from "../../source/syntax.ts";
import type { Finding, Rule } from "../rule.ts";
import { nameOf, perFunction } from "../source-questions.ts";

export const allocationTooSmall: Rule = {
  id: "FX-ALLOC-SIZE",
  title: "Less memory is allocated than the struct has",
  severity: "warning",
  certainty: "established",
  source: "ISO C++: a store to any member needs the whole object",
  needs: ["source"],
  why: "The pointer says the whole struct is there, the allocation says one byte less. A store to the last field, or of the whole struct, then lands behind the allocation.",
  fix: [
    "Allocate the struct: IONewZero(LineCoding, 1), and free it with IOSafeDeleteNULL; the length on the wire is another number.",
  ],
  who: "you",
  judge(evidence) {
    return perFunction(evidence, (one, file) =>
      one.calls.flatMap((call): Finding[] => {
        if (!/^(?:IOMalloc(?:Zero|Data)?|malloc)$/.test(call.name) || call.args.length !== 1) return [];
        const size = shortSize(one, call.args[0]);
        if (size === null) return [];
        return [
          {
            score: 66,
            claim: `${call.name} gets ${size.text} bytes: less than the struct that the pointer promises.`,
            because: [file.placeOf(call.node), file.placeOf(size)],
            about: [nameOf(one)],
          },
        ];
      }),
    );
  },
};

function shortSize(one: SourceFunction, argument: Syntax): Syntax | null {
  const value = bare(argument);
  const candidates = [value, ...valuesOf(one.body, keyOf(value)).map((given) => bare(given.value))];
  return (
    candidates.find(
      (node) =>
        node.kind === "binary_expression" &&
        node.child("operator")?.text === "-" &&
        node.child("left")?.kind === "sizeof_expression" &&
        numberOf(node.child("right")) !== null,
    ) ?? null
  );
}
