// NT-807791: data is corrupt above a size: the declared DMA constraints do not fit the hardware.

import { watch } from "../../evidence/watch.ts";
import { spoken } from "../questions.ts";
import type { Rule } from "../rule.ts";

const corrupt = watch(
  ["corrupt"],
  /\bcorrupt\w*.{0,200}?\b128 ?M(?:i?B|egabytes?)\b|\b128 ?M(?:i?B|egabytes?)\b.{0,200}?\bcorrupt\w*/i,
);

export const constraintsDoNotFit: Rule = {
  id: "NT-807791",
  title: "Data is corrupt above a size: the declared DMA constraints do not fit the hardware",
  severity: "error",
  certainty: "likely",
  source: "forum thread 807791",
  needs: ["text", "log"],
  why: "Above a threshold of buffered I/O the requests become longer and take the paths that split or copy them. If the declared number of segments, segment size or address bits is more than the hardware takes, exactly these requests go wrong.",
  fix: [
    "Declare what the hardware really takes: segment count, bytes per segment, alignment, address bits.",
    "Test with transfers of every size up to the largest declared one, and compare byte by byte.",
  ],
  who: "you",
  watches: [corrupt],
  judge(evidence) {
    const hits = spoken(evidence, corrupt);
    return hits.length === 0
      ? []
      : [
          {
            score: 56,
            claim:
              "Data is corrupt above 128 MB and right below: the requests that are split there break the declared DMA constraints.",
            because: [hits[0].place],
            missing: [
              "what UserReportHBAConstraints or UserGetDMASpecification declare, and what the hardware takes",
            ],
          },
        ];
  },
};
