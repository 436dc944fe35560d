// DR17-2: the log was filtered by the driver's bundle id, which loses lines whose sender was not resolved.

import { watch } from "../../evidence/watch.ts";
import { perHit } from "../questions.ts";
import type { Rule } from "../rule.ts";

const grep = watch(
  ["log show", "log stream"],
  /\blog (?:show|stream)\b[^|]{0,300}(?:\|\s*grep\s+[^|]{0,60}?([\w-]+(?:\.[\w-]+){2,})|sender(?:ImagePath)?\s*(?:CONTAINS|==|ENDSWITH)[^"']{0,10}["']([\w-]+(?:\.[\w-]+){2,}))/,
);
/** Not "kernel: (": nearly every row of the kernel has a sender. */
const bareNeedles = Array.from("abcdefghijklmnopqrstuvwxyz0123456789_<[-/*", (letter) => `kernel: ${letter}`);
const bare = watch(bareNeedles, / kernel: (?!\(|DK:)/);

export const filteredByBundleId: Rule = {
  id: "DR17-2",
  title: "The log was filtered by the driver's bundle id, which loses lines whose sender was not resolved",
  severity: "warning",
  certainty: "established",
  source: "xnu-11417: sender resolved by load tag",
  needs: ["log"],
  why: "Only the sender column names the dext, and the log daemon resolves it from a load tag. After an upgrade, before matching, or without tagging the lines are there but the sender is not, so a grep or a predicate on the bundle id loses them. The kernel's queue may drop lines as well, and counts them.",
  fix: [
    "Filter by the text of the message: log show --last 1h --info --debug --predicate 'eventMessage CONTAINS \"YOUR TAG\"', with a tag of your own in every message.",
    "Compare with dmesg, which gets the same text independently, and with sysctl debug.oslog_p_dropped_msgcount before and after.",
    "Keep a numbered trace in the driver, readable through the user client.",
  ],
  who: "you",
  isAboutCollecting: true,
  watches: [grep, bare],
  judge(evidence) {
    return perHit(evidence, grep, ({ match, place }) => {
      const named = match[1] ?? match[2];
      const unresolved = evidence
        .hits(bare)
        .filter((hit) => !hit.place.text.includes(named))
        .filter((hit) => hit.row.style !== null && hit.row.process === "kernel" && hit.row.sender === "");
      return {
        // How the log was collected is no failure. It counts when lines are seen that the filter does not let through.
        score: unresolved.length > 0 ? 55 : 40,
        claim: `The log was filtered for ${named}; ${unresolved.length > 0 ? `${unresolved.length} lines of the kernel without that text or a sender are in this evidence, and such a filter does not show them` : "lines that hold it neither in their text nor in a resolved sender are not shown by it"}.`,
        about: [named, place.file],
        missing: ["the same period without the filter, and dmesg"],
      };
    });
  },
};
