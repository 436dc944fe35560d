// DR09-5: privileged opcodes, and CDBs that are not where they belong.

import { senseCodeOf } from "@drydock/core/dissect/storage-wire";
import { watch } from "../../evidence/watch.ts";
import { refused as refusedClaim } from "../../facts/statement.ts";
import { onceFor } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";

const refused = watch(
  ["UserSendCDB"],
  /UserSendCDB\b.{0,160}(?:0xe00002c1|kIOReturnNotPrivileged|-536870207)/i,
);
const inquiry = watch(["INQUIRY"], /\bINQUIRY\b.{0,120}\b5\/20\/00\b/i);
const illegalOpcode = 0x2000;
const inquiryOpcode = 0x12;

export const vendorCommandRefused: Rule = {
  id: "DR09-5",
  title: "A vendor command without exclusive access, or a CDB in the wrong bytes",
  severity: "error",
  certainty: "likely",
  source: "SCSIPeripheralsDriverKit UserSendCDB documentation; SPC-4 section 4.2.5",
  needs: ["log", "capture"],
  why: "Opcodes C0h to FFh need exclusive access: UserSuspendServices first, with the volumes unmounted; otherwise UserSendCDB ends with kIOReturnNotPrivileged and nothing is on the bus. ILLEGAL REQUEST 5/20/00 for INQUIRY means that the unit saw another opcode: the CDB does not begin at byte 0 of fCommandDescriptorBlock, or bytes of an earlier one are still in it.",
  fix: [
    "Unmount, call UserSuspendServices, send, call UserResumeServices.",
    "Clear all 16 bytes of fCommandDescriptorBlock before each command and begin at byte 0.",
  ],
  who: "you",
  states: refusedClaim("the command was refused"),
  watches: [refused, inquiry],
  judge(evidence) {
    const findings: Finding[] = [
      ...onceFor(evidence, refused, () => ({
        score: 76,
        claim:
          "UserSendCDB ended with kIOReturnNotPrivileged: opcodes C0h to FFh need exclusive access (UserSuspendServices), others do not.",
        missing: ["the CDB that was refused"],
      })),
      ...onceFor(evidence, inquiry, () => ({
        score: 66,
        claim:
          "INQUIRY was refused as an unknown opcode (5/20/00): what reached the unit was another CDB than the one meant.",
        missing: ["the 16 bytes of fCommandDescriptorBlock, or a capture"],
      })),
    ];
    for (const { place, value } of evidence.facts("scsi-command")) {
      const { cdb, sense } = value.command;
      if (cdb[0] !== inquiryOpcode || senseCodeOf(sense) !== illegalOpcode) continue;
      findings.push({
        score: 72,
        claim:
          "The unit refused INQUIRY as an unknown opcode (5/20/00), which no disk does: it read other bytes as the CDB.",
        because: [place],
      });
      break;
    }
    return findings;
  },
};
