// DR09-3: fBufferDirection and fDataTransferDirection do not agree.

import { whoNeverAsked } from "@drydock/core/codec/mass-storage/storage-wire";
import { watch } from "../../evidence/watch.ts";
import { perHit } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";

const note = watch(
  ["fBufferDirection"],
  /fBufferDirection (\d) and fDataTransferDirection (\d) do not agree/,
);
/** Assignments of one parameter block, in either order. */
const assignments =
  /\bfBufferDirection\s*=\s*([\w:]+)[^{}]{0,800}?\bfDataTransferDirection\s*=\s*([\w:]+)|\bfDataTransferDirection\s*=\s*([\w:]+)[^{}]{0,800}?\bfBufferDirection\s*=\s*([\w:]+)/g;

const directions: readonly (readonly [RegExp, string])[] = [
  [/kIOMemoryDirectionIn$|kSCSIDataTransfer_FromTargetToInitiator$/, "in"],
  [/kIOMemoryDirectionOut$|kSCSIDataTransfer_FromInitiatorToTarget$/, "out"],
  [/kIOMemoryDirectionNone$|kSCSIDataTransfer_NoDataTransfer$/, "none"],
];

/** In, out or none; null for what cannot be told (a variable). The numbers mean different things in the two fields. */
function directionOf(value: string, isBuffer: boolean): string | null {
  if (/^[012]$/.test(value)) return (isBuffer ? ["none", "in", "out"] : ["none", "out", "in"])[Number(value)];
  return directions.find(([pattern]) => pattern.test(value))?.[1] ?? null;
}

export const dr09x3: Rule = {
  id: "DR09-3",
  title: "The directions of a UserSendCDB contradict each other, or say none",
  severity: "error",
  certainty: "established",
  source: "SCSIPeripheralsDriverKit UserSendCDB documentation; T10 UAS-3 section 6.2.2",
  needs: ["log", "capture", "source"],
  why: "The direction is told twice, in two encodings. To the device: fBufferDirection kIOMemoryDirectionOut (2) with fDataTransferDirection kSCSIDataTransfer_FromInitiatorToTarget (1). From the device: kIOMemoryDirectionIn (1) with kSCSIDataTransfer_FromTargetToInitiator (2). None is 0 in both. Where they contradict each other or say none, the CDB is on the bus and no payload follows; whether Apple's kernel tolerates a mix is not known.",
  fix: [
    "From the device: fBufferDirection = kIOMemoryDirectionIn, fDataTransferDirection = kSCSIDataTransfer_FromTargetToInitiator.",
    "To the device: fBufferDirection = kIOMemoryDirectionOut, fDataTransferDirection = kSCSIDataTransfer_FromInitiatorToTarget.",
    "Set fRequestedByteCountOfTransfer and fDataBufferAddr as well, and check fRealizedByteCountOfTransfer.",
  ],
  who: "you",
  watches: [note],
  judge(evidence) {
    const findings: Finding[] = perHit(evidence, note, ({ match }) => ({
      score: 93,
      claim: `UserSendCDB was told fBufferDirection ${match[1]} (${directionOf(match[1], true) ?? "?"}) and fDataTransferDirection ${match[2]} (${directionOf(match[2], false) ?? "?"}): they do not agree, and no data moves.`,
    })).slice(0, 2);
    for (const { place, value } of evidence.facts("source")) {
      for (const found of value.text.matchAll(assignments)) {
        const [, bufferFirst, transferSecond, transferFirst, bufferSecond] = found;
        const buffer = bufferFirst ?? bufferSecond;
        const transfer = transferSecond ?? transferFirst;
        const [told, meant] = [directionOf(buffer, true), directionOf(transfer, false)];
        if (told === null || meant === null || told === meant) continue;
        findings.push({
          score: 86,
          claim: `fBufferDirection = ${buffer} says "${told}", fDataTransferDirection = ${transfer} says "${meant}".`,
          because: [place],
        });
      }
    }
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
