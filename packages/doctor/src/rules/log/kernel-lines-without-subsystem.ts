// DR17-4: lines that begin with DK: have no subsystem to filter by.

import { watch } from "../../evidence/watch.ts";
import { perHit } from "../questions.ts";
import type { Rule } from "../rule.ts";

const filter = watch(
  ["log show", "log stream"],
  /\blog (?:show|stream)\b.{0,200}\bsubsystem\s*(?:==|CONTAINS|BEGINSWITH)[^"']{0,8}["']([^"']{1,100})/,
);

export const kernelLinesWithoutSubsystem: Rule = {
  id: "DR17-4",
  title: "Lines that begin with DK: have no subsystem to filter by",
  severity: "warning",
  certainty: "established",
  source: "forum thread 708236; xnu-11417 DKLOG",
  needs: ["log"],
  why: "The kernel prints its DriverKit lines (DK: ...) without subsystem and category, so a predicate on a subsystem never shows them.",
  fix: ['Filter by text: --predicate \'eventMessage BEGINSWITH "DK:"\', or by process == "kernel".'],
  who: "you",
  watches: [filter],
  judge(evidence) {
    return perHit(evidence, filter, ({ match }) =>
      /driverkit|iokit|dext/i.test(match[1])
        ? {
            score: 64,
            claim: `The predicate asks for subsystem ${match[1]}; the kernel's DK: lines have none.`,
          }
        : null,
    );
  },
};
