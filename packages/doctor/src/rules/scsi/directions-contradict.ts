// DR09-3: fBufferDirection and fDataTransferDirection do not agree.

import { whoNeverAsked } from "@drydock/core/dissect/storage-wire";
import { watch } from "../../evidence/watch.ts";
import { perHit } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";

/** A parameter block as people print it. */
const printed = watch(
  ["fBufferDirection"],
  /fBufferDirection\b\D{1,12}([012])\b.{0,80}?fDataTransferDirection\b\D{1,12}([012])\b/,
);
const names = ["none", "in", "out"];

/** The numbers mean different things in the two fields: 1 is In for the buffer and "to the device" for the transfer. */
function directionOf(value: string, isBuffer: boolean): string {
  const number = Number(value);
  return names[isBuffer || number === 0 ? number : 3 - number];
}

export const directionsContradict: Rule = {
  id: "DR09-3",
  title: "The directions of a UserSendCDB contradict each other, or say none",
  severity: "error",
  certainty: "established",
  source: "SCSIPeripheralsDriverKit UserSendCDB documentation; T10 UAS-3 section 6.2.2",
  needs: ["log", "capture"],
  why: "The direction is told twice, in two encodings. To the device: fBufferDirection kIOMemoryDirectionOut (2) with fDataTransferDirection kSCSIDataTransfer_FromInitiatorToTarget (1). From the device: kIOMemoryDirectionIn (1) with kSCSIDataTransfer_FromTargetToInitiator (2). None is 0 in both. Where they contradict each other or say none, the CDB is on the bus and no payload follows; whether Apple's kernel tolerates a mix is not known.",
  fix: [
    "From the device: fBufferDirection = kIOMemoryDirectionIn, fDataTransferDirection = kSCSIDataTransfer_FromTargetToInitiator.",
    "To the device: fBufferDirection = kIOMemoryDirectionOut, fDataTransferDirection = kSCSIDataTransfer_FromInitiatorToTarget.",
    "Set fRequestedByteCountOfTransfer and fDataBufferAddr as well, and check fRealizedByteCountOfTransfer.",
  ],
  who: "you",
  watches: [printed],
  judge(evidence) {
    const findings: Finding[] = perHit(evidence, printed, ({ match }) => {
      const [told, meant] = [directionOf(match[1], true), directionOf(match[2], false)];
      if (told === meant) return null;
      return {
        score: 90,
        claim: `UserSendCDB was told fBufferDirection ${match[1]} (${told}) and fDataTransferDirection ${match[2]} (${meant}): they do not agree, and no data moves.`,
      };
    }).slice(0, 2);
    for (const { place, value } of evidence.facts("scsi-command")) {
      const verdict = whoNeverAsked(value.command);
      if (verdict?.who !== "host never queued") continue;
      findings.push({
        score: value.command.asked === true ? 92 : 58,
        claim: `${verdict.sentence} Look at what the host was told: fDataTransferDirection, fBufferDirection, fRequestedByteCountOfTransfer, fDataBufferAddr.`,
        because: [place],
      });
      if (findings.length > 4) break;
    }
    return findings;
  },
};
