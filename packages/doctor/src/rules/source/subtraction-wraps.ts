// DR02-6: a constant subtracted from an unsigned value into a byte field, without a check of the range.

import { bare, numberOf, type SourceFunction } from "../../source/source-file.ts";
import { keyOf, type Syntax } from "../../source/syntax.ts";
import type { Finding, Rule } from "../rule.ts";
import { nameOf, perFunction } from "../source-questions.ts";

export const subtractionWraps: Rule = {
  id: "DR02-6",
  title: "An unsigned subtraction can wrap in a byte field",
  severity: "warning",
  certainty: "established",
  source: "ISO C++: unsigned arithmetic is modulo 2^n; USB CDC PSTN 1.2 table 17 gives the lawful values",
  needs: ["source"],
  why: "For a value below the constant the difference wraps: 1 - 2 becomes 0xFF in a byte field, and the device refuses the request for a reason that the log does not show. Stop bits come in half bits in one interface and whole bits in another, and a parity of 0 means default in one of them.",
  fix: [
    "Translate by a table with a check of the range, and answer kIOReturnBadArgument for what is not in it.",
  ],
  who: "you",
  judge(evidence) {
    return perFunction(evidence, (one, file) =>
      one.body.all("assignment_expression").flatMap((node): Finding[] => {
        const left = node.child("left");
        const value = node.child("right");
        if (left === null || value === null || node.child("operator")?.text !== "=" || !isByteField(left))
          return [];
        const difference = bare(value);
        const from = difference.child("left");
        const constant = numberOf(difference.child("right"));
        if (difference.kind !== "binary_expression" || difference.child("operator")?.text !== "-") return [];
        if (from === null || constant === null || constant === 0) return [];
        if (
          !["identifier", "field_expression"].includes(from.kind) ||
          isChecked(one, keyOf(from), node.start)
        )
          return [];
        return [
          {
            score: 76,
            claim: `${left.text} = ${difference.text} wraps when ${from.text} is below ${constant}, and nothing checks that.`,
            because: [file.placeOf(node)],
            about: [nameOf(one)],
          },
        ];
      }),
    );
  },
};

/** bDataBits, bParityType: the b of USB's names says byte. */
function isByteField(left: Syntax): boolean {
  return left.kind === "field_expression" && /^b[A-Z]\w*$/.test(left.child("field")?.text ?? "");
}

/** The value is compared, or a table's index, somewhere before. */
function isChecked(one: SourceFunction, key: string, before: number): boolean {
  return one.body.all("binary_expression", "switch_statement", "case_statement").some((node) => {
    if (node.start >= before) return false;
    if (node.kind === "switch_statement") return keyOf(node.child("condition") ?? node) === key;
    return (
      /^(?:[<>]=?|[!=]=)$/.test(node.child("operator")?.text ?? "") &&
      [node.child("left"), node.child("right")].some((side) => side !== null && keyOf(side) === key)
    );
  });
}
