// DR17-3: numbered messages have gaps: lines were lost.

import { watch } from "../../evidence/watch.ts";
import type { Place } from "../../facts/evidence-source.ts";
import type { Finding, Rule } from "../rule.ts";

const numbered = watch([".dext)"], /(?:\bseq(?:uence)?[ =:#]*|#)(\d{1,9})\b/i);

export const numbersHaveGaps: Rule = {
  id: "DR17-3",
  title: "Numbered messages have gaps: lines were lost",
  severity: "warning",
  certainty: "established",
  source: "xnu-11417 os log queue and its drop counters",
  needs: ["log"],
  why: "Messages of one driver that carry a counter are missing numbers. The kernel's log queue was full and dropped them, or a filter took them out.",
  fix: [
    "Compare sysctl debug.oslog_p_dropped_msgcount before and after a run: the difference is the number of lines dropped.",
    "Log less per second, or keep a numbered trace in the driver and read it through the user client.",
  ],
  who: "you",
  watches: [numbered],
  judge(evidence) {
    const findings: Finding[] = [];
    const streams = new Map<
      string,
      { last: number; place: Place; missing: number; ranges: string[]; first: Place; count: number }
    >();
    for (const { row, match, place } of evidence.hits(numbered)) {
      const stream = `${place.file} ${row.process} ${row.sender} ${row.message.slice(0, match.index).replace(/\d+/g, "")}`;
      const number = Number(match[1]);
      const before = streams.get(stream);
      if (before === undefined) {
        streams.set(stream, { last: number, place, missing: 0, ranges: [], first: place, count: 1 });
        continue;
      }
      if (number > before.last + 1 && before.ranges.length < 20) {
        before.ranges.push(
          number - 1 === before.last + 1 ? `${number - 1}` : `${before.last + 1}..${number - 1}`,
        );
        before.missing += number - before.last - 1;
        before.place = place;
      }
      before.last = number;
      before.count++;
    }
    for (const { missing, ranges, place, count } of streams.values()) {
      if (missing === 0 || count < 3 || missing > 100 * count) continue;
      findings.push({
        score: 74,
        claim: `${missing} numbered messages are missing: ${ranges.slice(0, 5).join(", ")}${ranges.length > 5 ? " ..." : ""}.`,
        because: [place],
        missing: ["sysctl debug.oslog_p_dropped_msgcount before and after"],
      });
    }
    return findings;
  },
};
