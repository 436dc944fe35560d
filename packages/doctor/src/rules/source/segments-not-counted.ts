// DR16-3: the segments of PrepareForDMA are not counted.

import { absent } from "../../facts/statement.ts";
import { addressOf, type SourceCall, type SourceFunction, valuesOf } from "../../source/source-file.ts";
import type { Finding, Rule } from "../rule.ts";
import { nameOf, perFunction } from "../source-questions.ts";

export const segmentsNotCounted: Rule = {
  id: "DR16-3",
  title: "The segments of PrepareForDMA are not counted",
  severity: "error",
  certainty: "established",
  source:
    "IODMACommand::PrepareForDMA: segmentsCount is room on the way in and the number of segments on the way out; more than offered is no error",
  needs: ["source"],
  why: "segmentsCount says how many segments there is room for, and comes back with how many there are. Uninitialised it offers whatever was on the stack; zero is kIOReturnBadArgument. When more are needed than offered the call succeeds all the same and gives the first ones only, so a driver that looks at segments[0] alone moves part of its data.",
  fix: [
    "Set the count to the size of the array (32) right before the call.",
    "Afterwards require one segment, or walk through all of them; compare the sum of their lengths with the request.",
  ],
  who: "you",
  states: absent("function", "the number of segments, set and looked at"),
  judge(evidence) {
    return perFunction(evidence, (one, file) =>
      one.calls.flatMap((call): Finding[] => {
        if (call.name !== "PrepareForDMA" || call.args.length !== 7) return [];
        const count = addressOf(call.args[5]);
        if (count === null || !/^\w+$/.test(count)) return [];
        const problem = problemOf(one, call, count);
        if (problem === null) return [];
        return [
          {
            score: problem.score,
            claim: `${nameOf(one)} ${problem.text}`,
            because: [file.placeOf(call.node)],
            about: [one.className],
          },
        ];
      }),
    );
  },
};

function problemOf(
  one: SourceFunction,
  call: SourceCall,
  count: string,
): { readonly score: number; readonly text: string } | null {
  const isLocal = one.body
    .all("declaration")
    .some(({ text }) => new RegExp(`^(?:uint32_t|UInt32|unsigned)\\b[^=;]*\\b${count}\\b`).test(text));
  const isSet = valuesOf(one.body, count).some(({ node }) => node.start < call.node.start);
  if (isLocal && !isSet)
    return {
      score: 88,
      text: `calls PrepareForDMA with ${count} not set: it must say how many segments there is room for.`,
    };
  const isLookedAt = one.body
    .all("identifier")
    .some((node) => node.text === count && node.start >= call.node.end);
  const segments = call.args[6].text;
  const usesFirst = new RegExp(`\\b${segments.replace(/\W/g, "\\$&")}\\s*(?:\\[\\s*0\\s*\\]|->)`).test(
    one.body.text.slice(call.node.end - one.body.start),
  );
  if (isLocal && usesFirst && !isLookedAt)
    return {
      score: 74,
      text: `uses the first segment of PrepareForDMA and never looks at ${count}: the others are lost without an error.`,
    };
  return null;
}
