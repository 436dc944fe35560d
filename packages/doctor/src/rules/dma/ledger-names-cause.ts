// DR18-7: the ledger of a DMA transfer says where the bytes went, or who did not count them.

import type { Evidence } from "../../evidence/evidence.ts";
import { watch } from "../../evidence/watch.ts";
import type { Place } from "../../facts/evidence-source.ts";
import { spoken } from "../questions.ts";
import type { Rule } from "../rule.ts";

const row = watch(["DMA ledger: "], /\bDMA ledger: (.{1,400})/);

interface LedgerRow {
  readonly text: string;
  readonly place: Place;
}

/** What the rows together say; the first that holds is the cause. */
const causes: readonly {
  readonly needs: readonly RegExp[];
  readonly claim: (found: readonly RegExpExecArray[]) => string;
}[] = [
  {
    needs: [/scatter entry: .* system memory/, /went to local memory at (0x[0-9a-f]+)/],
    claim: ([, [, address]]) =>
      `The firmware wrote to its own memory at ${address}, although the scatter entry says that the address is the host's: it does not look at the flag.`,
  },
  {
    needs: [/went to local memory at (0x[0-9a-f]+)/],
    claim: ([[, address]]) =>
      `The firmware wrote to its own memory at ${address}: the scatter entry's address-space flag does not say that this address is the host's.`,
  },
  {
    needs: [/refused at 0x[0-9a-f]+: .*; its requester was ([0-9a-f:.]+), the function is ([0-9a-f:.]+)/],
    claim: ([[, requester, own]]) =>
      `The write came from ${requester}, and the mappings are those of ${own}: another function or engine of the device moves the data, and the IOMMU refuses it.`,
  },
  {
    needs: [/firmware's reply: .* posted before the device's write/, /refused at (0x[0-9a-f]+)/],
    claim: ([, [, address]]) =>
      `The firmware posted its reply before its data: the task was over and its mapping gone when the write to ${address} came.`,
  },
  {
    needs: [/delivered at (0x[0-9a-f]+) into "([^"]+)"/, /scatter entry: (0x[0-9a-f]+)/],
    claim: ([[, address, owner], [, entry]]) =>
      `The device was told ${entry} and wrote to ${address}, which is "${owner}": the firmware took another buffer of the command for its data.`,
  },
  {
    needs: [/firmware's reply: 0 of ([1-9]\d*) bytes/, /device write: delivered/],
    claim: ([[, wanted]]) =>
      `The data arrived, and the firmware's reply counts 0 of ${wanted} bytes: whoever believes the count sees nothing.`,
  },
  {
    needs: [/mapped at (0x[0-9a-f]+)/, /scatter entry: (0x[0-9a-f]+)/, /refused at (0x[0-9a-f]+)/],
    claim: ([[, mapped], [, entry], [, address]]) =>
      mapped === entry && address !== entry
        ? `The entry names ${entry}, as the mapping does, and the device wrote to ${address}: its firmware reads the entry in another format or byte order, and the IOMMU refused the write.`
        : mapped === entry
          ? `The IOMMU refused the device's write to ${mapped}: the mapping had ended, or does not allow it. The task was completed, or its direction declared, before the device was done.`
          : `The device was told ${entry} where the buffer is mapped at ${mapped}: the entry's format or byte order is wrong, and the IOMMU refused the write.`,
  },
  {
    needs: [/fBytesTransferred 0 of ([1-9]\d*)/, /device write: delivered/],
    claim: ([[, wanted]]) =>
      `The data arrived, and the response reports 0 of ${wanted} bytes: the driver does not fill fBytesTransferred in.`,
  },
  {
    needs: [/looked at another buffer/],
    claim: () => "The data arrived in the task's buffer; what the driver showed is another buffer.",
  },
  {
    needs: [/, bounced/, /looked at the task's buffer before completion/],
    claim: () =>
      "The buffer is bounced, and a bounced copy reaches it at completion alone: the driver looked before, and saw what was there earlier.",
  },
];

export const ledgerNamesCause: Rule = {
  id: "DR18-7",
  title: "The DMA ledger says where the bytes went",
  severity: "error",
  certainty: "established",
  source: "driverkit: DMA and posted writes; Drydock's ledger of mappings, refusals and local writes",
  needs: ["log"],
  why: "A device's write over PCI is posted: nobody tells it whether memory took the bytes. The ledger of a bench knows both ends: the mapping, the scatter entry, the write's fate, the response and what the driver looked at. One of them differs for each cause of a buffer of zeros.",
  fix: [
    "Hand the kernel's fBufferIOVMAddr on untouched, in an entry that says system memory, in the byte order that the hardware reads.",
    "Complete a task when the hardware is done with it, not when the hardware has it: completion ends the mapping.",
    "Fill every field of the response in; fBytesTransferred is what really moved.",
    "Leave the data to whoever asked for it, or look after completion.",
  ],
  who: "you",
  watches: [row],
  judge(evidence) {
    const rows = ledgerOf(evidence);
    // A transfer that the driver never looked at, or saw whole, is none of this.
    if (!rows.some(({ text }) => /^dext looked at .*: (?:00 )*00$/.test(text))) return [];
    for (const { needs, claim } of causes) {
      const found = needs.map((need) => find(rows, need));
      if (found.some((each) => each === null)) continue;
      const held = found as { readonly match: RegExpExecArray; readonly place: Place }[];
      return [
        {
          score: 96,
          claim: claim(held.map(({ match }) => match)),
          because: held.map(({ place }) => place),
        },
      ];
    }
    return [];
  },
};

function ledgerOf(evidence: Evidence): LedgerRow[] {
  return spoken(evidence, row).map(({ match, place }) => ({ text: match[1].trim(), place }));
}

function find(
  rows: readonly LedgerRow[],
  need: RegExp,
): { readonly match: RegExpExecArray; readonly place: Place } | null {
  for (const { text, place } of rows) {
    const match = need.exec(text);
    if (match !== null) return { match, place };
  }
  return null;
}
