// FX-SENSE-LENGTH: more sense data is asked for than UserSendCDB allows.

import { numberOf } from "../../source/source-file.ts";
import type { Finding, Rule } from "../rule.ts";
import { nameOf, perFunction } from "../source-questions.ts";

export const tooMuchSense: Rule = {
  id: "FX-SENSE-LENGTH",
  title: "More than 22 bytes of sense data are asked for",
  severity: "warning",
  certainty: "established",
  source: "SCSIPeripheralsDriverKit: fSenseLengthRequested is 18, or 22 for ATA pass-through; more fails",
  needs: ["source"],
  why: "UserSendCDB takes 18 bytes of sense data, or 22 for an ATA pass-through command, and fails for more. The command is then never sent.",
  fix: ["Ask for 18, and for 22 with ATA pass-through."],
  who: "you",
  judge(evidence) {
    return perFunction(evidence, (one, file) =>
      one.body.all("assignment_expression").flatMap((node): Finding[] => {
        const length = numberOf(node.child("right"));
        if (
          !/\bfSenseLengthRequested$/.test(node.child("left")?.text ?? "") ||
          length === null ||
          length <= 22
        )
          return [];
        return [
          {
            score: 80,
            claim: `${length} bytes of sense data are asked for; more than 22 fails.`,
            because: [file.placeOf(node)],
            about: [nameOf(one)],
          },
        ];
      }),
    );
  },
};
