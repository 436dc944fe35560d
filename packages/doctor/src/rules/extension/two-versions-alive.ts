// FX-TWO-VERSIONS: two versions of one extension are alive.

import type { Fact } from "../../evidence/facts.ts";
import { currentRows } from "../extension-lists.ts";
import type { Finding, Rule } from "../rule.ts";

export const twoVersionsAlive: Rule = {
  id: "FX-TWO-VERSIONS",
  title: "Two versions of one extension are alive",
  severity: "warning",
  certainty: "established",
  source: "systemextensionsctl list: two rows with one bundle id",
  needs: ["system extensions list"],
  why: "An old version that waits for a restart may still run, and serve calls and logs in place of the new one. The two stars of a row are independent of its state.",
  fix: [
    "Restart the Mac, list again, and test only when one row is left.",
    "In development let CFBundleVersion grow with each build, and compare CDHash and version with ioreg.",
  ],
  who: "you",
  judge(evidence) {
    const rows = new Map<string, Fact<"system-extension">[]>();
    for (const row of currentRows(evidence)) {
      // The same list is often collected twice: only rows of one file count, and of its last list.
      const key = `${row.place.file}\n${row.value.bundleIdentifier}`;
      const own = rows.get(key) ?? [];
      rows.set(key, own);
      own.push(row);
    }
    return [...rows.values()].flatMap((group): Finding[] => {
      const versions = [...new Set(group.map(({ value }) => value.version))];
      if (group.length < 2) return [];
      const isWaiting = group.some(({ value }) => /reboot|terminating/.test(value.state));
      return [
        {
          score: isWaiting ? 62 : 54,
          claim: `${group[0].value.bundleIdentifier} is there ${group.length} times (${versions.join(", ")})${isWaiting ? ", and one of them waits for a restart" : ""}: calls and logs may be the old one's.`,
          because: group.slice(0, 3).map(({ place }) => place),
          about: [group[0].value.bundleIdentifier],
        },
      ];
    });
  },
};
