// DR16-1: driverKit has no physically contiguous memory, and needs none.

import { watch } from "../../evidence/watch.ts";
import { spoken } from "../questions.ts";
import type { Rule } from "../rule.ts";

const question = watch(
  ["contiguous"],
  /\bcontiguous\b.{0,200}?\b(?:DriverKit|dext|IOBufferMemoryDescriptor|PrepareForDMA|IODMACommand|DMA)\b|\b(?:DriverKit|dext|IOBufferMemoryDescriptor|PrepareForDMA|IODMACommand|DMA)\b.{0,200}?\bcontiguous\b/i,
);

export const noContiguousMemory: Rule = {
  id: "DR16-1",
  title: "DriverKit has no physically contiguous memory, and needs none",
  severity: "note",
  certainty: "established",
  source: "DTS answer in thread 804520; xnu-11417 IOBufferMemoryDescriptor::Create",
  needs: ["text", "log"],
  why: "Every platform has an IOMMU: PrepareForDMA answers one contiguous range of device addresses, whatever the physical pages are. IOBufferMemoryDescriptor::Create takes direction bits only; an option for contiguous memory is kIOReturnBadArgument.",
  fix: [
    "Create the buffer with its direction and a page alignment, make one IODMACommand with the address bits of the hardware, and call PrepareForDMA with room for 32 segments.",
    "Require one segment, or walk through all of them; program the full 64-bit address, never a CPU address.",
    "Keep it prepared as long as the device uses it; CompleteDMA after the engine is idle.",
  ],
  who: "you",
  watches: [question],
  judge(evidence) {
    // A manual explains; it asks nothing.
    const manuals = new Set(
      evidence.files.filter(({ kinds }) => kinds.includes("documentation")).map(({ name }) => name),
    );
    const asked = spoken(evidence, question).filter(({ place }) => !manuals.has(place.file));
    return asked.length === 0
      ? []
      : [
          {
            score: 55,
            claim:
              "This asks for contiguous memory for DMA: the IOMMU makes any buffer one contiguous range for the device.",
            because: asked.slice(0, 3).map((hit) => hit.place),
          },
        ];
  },
};
