// FX-CRASH-COUNT: the kernel counts the crashes of a driver at each launch; 0 is normal.

import { watch } from "../../evidence/watch.ts";
import { spoken } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";

const counted = watch(["has crashed"], /Driver ([\w.-]{3,255}) has crashed (\d{1,4}) time\(?s?\)?/);

export const driverCrashesCounted: Rule = {
  id: "FX-CRASH-COUNT",
  title: "The kernel counted crashes of a driver",
  severity: "error",
  certainty: "established",
  source: "xnu-11417 IOUserServer: the line is printed at each launch, from 0 on",
  needs: ["log"],
  why: "The kernel prints the count at every launch of the driver. Above 0 the process ended before by a crash and was started again; what was open then is gone, and programs that had it open got an error.",
  fix: [
    "Look for the driver's crash reports in /Library/Logs/DiagnosticReports, one for each crash.",
    "Compare their times with this log: what was the last line of the driver before each?",
  ],
  who: "the vendor of the driver",
  watches: [counted],
  judge(evidence) {
    const most = new Map<string, Finding & { readonly count: number }>();
    for (const { match, place } of spoken(evidence, counted)) {
      const count = Number(match[2]);
      if (count === 0 || (most.get(match[1])?.count ?? 0) >= count) continue;
      most.set(match[1], {
        count,
        score: 74,
        claim: `The driver ${match[1]} has crashed ${count} ${count === 1 ? "time" : "times"} since the machine was started, and was launched again.`,
        because: [place],
        about: [match[1]],
        missing: [`the crash reports of ${match[1]}`],
      });
    }
    return [...most.values()].map(({ count: _count, ...finding }) => finding);
  },
};
