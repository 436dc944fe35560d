// DR09-2: a device that takes the length from the transport, on UAS.

import { attachedScsiProtocol } from "@drydock/core/codec/mass-storage/attached-scsi";
import { bulkOnlyProtocol } from "@drydock/core/codec/mass-storage/bulk-only";
import { isVendorCommand, whoNeverAsked } from "@drydock/core/dissect/storage-wire";
import { watch } from "../../evidence/watch.ts";
import { onceFor } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";

const words = watch(
  ["no data", "no payload"],
  /\b(?:UAS|USB ?3)\b.{0,160}\bno (?:payload )?data\b|\bno (?:payload )?data\b.{0,160}\b(?:UAS|USB ?3)\b/i,
);

export const dataNeverAskedFor: Rule = {
  id: "DR09-2",
  title: "Over UAS the device never asked for the data of a command",
  severity: "error",
  certainty: "established",
  source:
    "USB Mass Storage Bulk-Only Transport 1.0 table 5.1; T10 UAS-3 section 6.2.2; USB 3.2 section 8.12.1.4",
  needs: ["capture"],
  why: "A CBW carries dCBWDataTransferLength and a direction flag. A UAS command unit carries neither: the data stage begins when the device asks for it, with READ READY or WRITE READY on USB 2 and with ERDY on the stream of the tag on USB 3, and it knows the length from the CDB alone. Firmware that took a vendor command's length from the CBW moves data over Bulk-Only and none over UAS.",
  fix: [
    "Ask the maker where the CDB of this command encodes its length, and put it there; firmware must honour it on both transports.",
    "Check fRealizedByteCountOfTransfer, service response and status after every UserSendCDB: GOOD with 0 bytes is not a success.",
    "If the firmware cannot be changed, win the interface with a driver that stays on alternate setting 0 (Bulk-Only).",
  ],
  who: "the device's maker",
  watches: [words],
  judge(evidence) {
    const findings = evidence.facts("scsi-command").flatMap(({ place, value }): Finding[] => {
      const { command, protocols } = value;
      const verdict = whoNeverAsked(command);
      if (verdict?.who !== "device never asked") return [];
      const isBoth = protocols.includes(bulkOnlyProtocol) && protocols.includes(attachedScsiProtocol);
      return [
        {
          score: isVendorCommand(command) ? (isBoth ? 94 : 88) : 60,
          claim: `${verdict.sentence}${isBoth ? " The device has Bulk-Only on another alternate setting, where the CBW tells it the length." : ""}`,
          because: [place],
          missing: ["where the CDB of this command says how much data there is, by its documentation"],
        },
      ];
    });
    if (findings.length > 0) return findings.slice(0, 4);
    return onceFor(evidence, words, () => ({
      score: 56,
      claim:
        "A command moves no data over UAS: either the device never asks for it (a command unit tells no length) or the host never queues it.",
      missing: ["a capture of the USB traffic on USB 3: it shows which of the two it is"],
    }));
  },
};
