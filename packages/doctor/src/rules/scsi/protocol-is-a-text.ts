// DR19-4: the protocol that disk tools show is a text of the registry.

import { type Hit, watch } from "../../evidence/watch.ts";
import { spoken } from "../questions.ts";
import type { Rule } from "../rule.ts";

const protocol = watch(
  ["Protocol"],
  /\bProtocol:?\W{1,30}(SCSI|Fibre Channel(?: Interface)?|SAS|SATA|USB|PCI-Express)\b/,
);

export const protocolIsAText: Rule = {
  id: "DR19-4",
  title: "The protocol that disk tools show is a text of the registry",
  severity: "note",
  certainty: "established",
  source: "IOStorageFamily-337: Protocol Characteristics; DTS answer in thread 805570",
  needs: ["text", "log"],
  why: "Protocol in diskutil info is the Physical Interconnect of the Protocol Characteristics dictionary. It selects no path: file systems and raw access end in the same UserProcessParallelTask.",
  fix: [
    'Publish Protocol Characteristics with Physical Interconnect ("Fibre Channel Interface", "SAS", ...) if the text matters to you.',
    "Look elsewhere for the failure.",
  ],
  who: "you",
  watches: [protocol],
  judge(evidence) {
    const seen = new Map<string, Hit>();
    for (const hit of spoken(evidence, protocol)) seen.set(hit.match[1], hit);
    const scsi = seen.get("SCSI");
    const other = [...seen].find(([name]) => /Fibre|SAS/.test(name));
    if (scsi === undefined || other === undefined) return [];
    return [
      {
        score: 40,
        claim: `Protocol is shown as SCSI here and as ${other[0]} there: that is a text of the registry, and selects nothing.`,
        because: [scsi.place, other[1].place],
      },
    ];
  },
};
