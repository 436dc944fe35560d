// DR18-2: a low device address may be taken for the controller's own memory.

import { watch } from "../../evidence/watch.ts";
import { spoken } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";

const iova = watch(
  ["IOVMAddr", "IOVA 0x", "IOVA: 0x", "IOVA=0x", "IOVA is 0x"],
  /\b(?:fBufferIOVMAddr|IOVMAddr|IOVA)\b\D{0,20}(0x[0-9a-f]{1,16})\b/i,
);
const zeros = watch(
  ["zeros", "zeroes", "zero-filled", "zeroed", "all zero", "is zero", "00 00 00 00 00 00"],
  /\bzero(?:e?s|-filled|ed)?\b|(?:\b00 ){6,}/i,
);

export const lowAddressTakenAsOwn: Rule = {
  id: "DR18-2",
  title: "A low device address may be taken for the controller's own memory",
  severity: "warning",
  certainty: "likely",
  source: "IEEE and MPI scatter entries: the flag that tells system from local addresses; thread 804671",
  needs: ["log"],
  why: "A controller with its own processor has a 32-bit local address space, and its scatter entries carry a flag that says whose address this is. An address below 4 GiB, such as 0x801c0000, is a plausible local one too: with the flag wrong the firmware writes into its own memory, and the host sees neither data nor a fault.",
  fix: [
    "Set the system-memory flag in every scatter entry.",
    "Look at the controller's local memory at that address: the bytes are there when this is the cause.",
    "Try an address above 4 GiB (64 address bits): if that works, it is the flag.",
  ],
  who: "you",
  watches: [iova, zeros],
  judge(evidence) {
    const isRecorded = evidence
      .facts("registry-entry")
      .some(({ value }) => value.properties["pci-dart-error-data"] instanceof Uint8Array);
    if (isRecorded) return [];
    const empty = spoken(evidence, zeros);
    return spoken(evidence, iova)
      .filter(({ match }) => Number(match[1]) >= 0x8000_0000 && Number(match[1]) < 0x1_0000_0000)
      .slice(0, 1)
      .map(
        (hit): Finding => ({
          score: empty.length > 0 ? 60 : 30,
          claim: `The device address ${hit.match[1]} is below 4 GiB, where a controller's local memory may lie${empty.length > 0 ? ", and the host's buffer holds zeros without an IOMMU record" : ""}: suspect the address-space flag of the scatter entry.`,
          because: [hit.place, ...empty.slice(0, 1).map((other) => other.place)],
          missing: [
            "the scatter entry as the firmware gets it",
            "the controller's local memory at that address",
          ],
        }),
      );
  },
};
