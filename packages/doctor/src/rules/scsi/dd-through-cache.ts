// DR19-5: dd to /dev/disk goes through the buffer cache and proves nothing.

import { watch } from "../../evidence/watch.ts";
import { spoken } from "../questions.ts";
import type { Rule } from "../rule.ts";

const dd = watch(["=/dev/disk"], /\bdd\b.{0,200}?\b(if|of)=\/dev\/disk(\d{1,3})/);

export const ddThroughCache: Rule = {
  id: "DR19-5",
  title: "dd to /dev/disk goes through the buffer cache and proves nothing",
  severity: "warning",
  certainty: "established",
  source: "IOStorageFamily-337: block and character nodes",
  needs: ["text", "log"],
  why: "/dev/diskN is the buffered node: what dd reads back may come from the host's memory, and what it wrote may still be there only. /dev/rdiskN goes to the device; a power cut tells what is on the medium.",
  fix: [
    "Write and read through /dev/rdiskN, with a block size that is a multiple of the disk's.",
    "Then flush, cut the power, and compare.",
  ],
  who: "you",
  watches: [dd],
  judge(evidence) {
    const hits = spoken(evidence, dd);
    const written = hits.filter(({ match }) => match[1] === "of");
    const readBack = hits.find(
      ({ match }) => match[1] === "if" && written.some((other) => other.match[2] === match[2]),
    );
    if (written.length === 0) return [];
    return [
      {
        score: readBack === undefined ? 46 : 62,
        claim: `dd wrote to /dev/disk${written[0].match[2]}, the buffered node${readBack === undefined ? "" : ", and read back from it"}: that says nothing about the medium.`,
        because: [written[0].place, ...(readBack === undefined ? [] : [readBack.place])],
      },
    ];
  },
};
