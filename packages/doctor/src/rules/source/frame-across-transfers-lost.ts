// DR10-3: the receive parser forgets a frame that goes on in the next transfer.

import type { Rule } from "../rule.ts";
import { nameOf, perFunction } from "../source-questions.ts";

export const frameAcrossTransfersLost: Rule = {
  id: "DR10-3",
  title: "The receive parser forgets a frame that goes on in the next transfer",
  severity: "warning",
  certainty: "likely",
  source:
    "ASIX AX88x72 receive format: frames with a four-byte header follow each other without regard to transfers",
  needs: ["source"],
  why: "The chip strings frames together, each with a header of its length and its complement, and a transfer ends wherever its buffer does: in the middle of a frame or of a header. A parser that begins anew with each transfer loses that frame, takes its rest for a header, and is out of step from then on.",
  fix: [
    "Keep what is left over (header bytes, expected length, the part of the frame) in ivars, and go on with it in the next completion.",
    "Check the length against its complement, and look for the next valid header when it fails.",
  ],
  who: "you",
  judge(evidence) {
    return perFunction(evidence, (one, file) => {
      const { text } = one.body;
      if (!about.test(file.text) || !received.test(one.name) || kept.test(text)) return [];
      const loop = one.body
        .all("while_statement", "for_statement")
        .find((node) => /(?:\+=|-=)/.test(node.text) && /\b(?:break|return)\b/.test(node.text));
      if (loop === undefined || !header.test(loop.text)) return [];
      return [
        {
          score: 56,
          claim: `${nameOf(one)} walks through the frames of one transfer and keeps nothing for the next.`,
          because: [file.placeOf(loop)],
          about: [one.className],
        },
      ];
    });
  },
};

const about = /\bAX88|\bASIX\b|\brx_?hdr\b|RxHeader/i;
const received = /rx|read|receive|input|complete/i;
const header = /\^\s*0x(?:ffff|7ff)\b|~\s*\(?\s*\w*(?:len|hdr|header)|\blength\b|\bframeLen/i;
/** State that outlives the call. */
const kept = /\bivars->\w*(?:rest|left|partial|pending|remain|carry|split|held|kept|assembl|expect)\w*/i;
