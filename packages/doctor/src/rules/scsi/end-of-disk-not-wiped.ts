// DR19-2: diskutil could not wipe the end of the disk.

import { watch } from "../../evidence/watch.ts";
import { onceFor } from "../questions.ts";
import type { Rule } from "../rule.ts";

const wipe = watch(
  ["-69825", "Wiping volume data"],
  /-69825|Wiping volume data to prevent future accidental probing failed/,
);

export const endOfDiskNotWiped: Rule = {
  id: "DR19-2",
  title: "diskutil could not wipe the end of the disk",
  severity: "error",
  certainty: "likely",
  source: "message of diskutil; SBC-3 READ/WRITE (16)",
  needs: ["log"],
  why: "Partitioning writes zeros at the beginning and the end of the disk. Beyond 2^32 blocks the end needs WRITE(16); a controller that mishandles 16-byte commands, large transfers or commands without data fails exactly there.",
  fix: [
    "Log every opcode with its status; the last one before the error is the one to repair.",
    "Handle 9Eh/10h, 88h, 8Ah and 91h with the high half of the block address.",
  ],
  who: "you",
  watches: [wipe],
  judge(evidence) {
    return onceFor(evidence, wipe, () => ({
      score: 82,
      claim:
        "diskutil failed with -69825 while wiping: a write near the end of the disk was not done, most likely WRITE(16) beyond 2^32 blocks.",
      missing: ["the size of the disk in blocks", "a log of every opcode with status"],
    }));
  },
};
