// DR16-6: the hardware was told an address that is not mapped, or one whose mapping had ended.

import { watch } from "../../evidence/watch.ts";
import { spoken } from "../questions.ts";
import type { Rule } from "../rule.ts";

const refusal = watch(
  [" refused: no mapping; "],
  /\bDMA ledger: .{0,60}? (read|write) of \d{1,9} bytes at (0x[0-9a-f]{1,16}) refused: no mapping; (?:inside|missed) "([^"]{1,80})" \((0x[0-9a-f]{1,16}),([^)]{0,120})\)/,
);

export const readsUnmappedAddress: Rule = {
  id: "DR16-6",
  title: "The hardware was told an address that is not mapped for it",
  severity: "error",
  certainty: "established",
  source:
    "DTS answer in thread 804520; IODMACommand's PrepareForDMA and CompleteDMA; Drydock's ledger of mappings",
  needs: ["log"],
  why: "A device sees memory at the addresses that PrepareForDMA answered, and only until CompleteDMA. What the processor uses as an address, a physical page, or half of a 64-bit address means nothing to it: the IOMMU refuses the access, a read is all ones or silence, and a write vanishes.",
  fix: [
    "Program the addresses of PrepareForDMA's segments, all of them and in full width; never a pointer.",
    "Stop the engine, see that it has halted, take bus master away, read back, and only then call CompleteDMA.",
  ],
  who: "you",
  watches: [refusal],
  judge(evidence) {
    const [first] = spoken(evidence, refusal);
    if (first === undefined) return [];
    const [, access, address, owner, mapped, more] = first.match;
    const claim = more.includes("unmapped at")
      ? `The device's ${access} of ${address} came after the mapping of "${owner}" had ended: CompleteDMA was called while the engine still ran.`
      : `The device's ${access} of ${address} was refused, and "${owner}" is mapped at ${mapped}: what the hardware was told is no address that PrepareForDMA answered, but one of the processor, a physical one, or one cut short.`;
    return [{ score: 85, claim, because: [first.place] }];
  },
};
