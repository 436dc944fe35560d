// FX-SCSI-DIRECTION: the two encodings of a direction are mixed up in a CDB's parameters.

import type { Finding, Rule } from "../rule.ts";
import { nameOf, perFunction } from "../source-questions.ts";

export const scsiDirectionEncoding: Rule = {
  id: "FX-SCSI-DIRECTION",
  title: "The direction of a SCSI command is given in the wrong encoding",
  severity: "warning",
  certainty: "likely",
  source:
    "SCSIPeripheralsDriverKit: fBufferDirection is kIOMemoryDirection..., fDataTransferDirection is kSCSIDataTransfer_...",
  needs: ["source"],
  why: "Two fields give the direction in two encodings that are the reverse of each other: 1 means In in one and to the target in the other. Mixed up, the CDB is on the bus and no payload moves.",
  fix: [
    "fBufferDirection takes kIOMemoryDirectionIn or Out, fDataTransferDirection takes kSCSIDataTransfer_FromTargetToInitiator or FromInitiatorToTarget. Set both.",
  ],
  who: "you",
  judge(evidence) {
    return perFunction(evidence, (one, file) =>
      one.body.all("assignment_expression").flatMap((node): Finding[] => {
        const field = /\b(fBufferDirection|fDataTransferDirection)$/.exec(
          node.child("left")?.text ?? "",
        )?.[1];
        const value = node.child("right")?.text ?? "";
        const isSwapped =
          field === "fBufferDirection" ? /kSCSIDataTransfer_/.test(value) : /kIOMemoryDirection/.test(value);
        if (field === undefined || !isSwapped) return [];
        return [
          {
            score: 74,
            claim: `${field} is given ${value}, which belongs to the other field's encoding.`,
            because: [file.placeOf(node)],
            about: [nameOf(one)],
          },
        ];
      }),
    );
  },
};
