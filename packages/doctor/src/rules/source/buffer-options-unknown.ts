// FX-BUFFER-OPTIONS: a buffer is created with options that DriverKit does not know.

import type { Rule } from "../rule.ts";
import { nameOf, perFunction } from "../source-questions.ts";

export const bufferOptionsUnknown: Rule = {
  id: "FX-BUFFER-OPTIONS",
  title: "IOBufferMemoryDescriptor::Create gets options other than a direction",
  severity: "error",
  certainty: "established",
  source: "xnu IOBufferMemoryDescriptor: anything but direction bits is kIOReturnBadArgument",
  needs: ["source"],
  why: "In DriverKit the options of a buffer are its direction and nothing else: contiguous, pageable and other options of kernel extensions are refused with kIOReturnBadArgument 0xe00002c2. Behind an IOMMU one segment comes of itself.",
  fix: [
    "Give the direction alone, and prepare the buffer with an IODMACommand: it answers the segments that the device may use.",
  ],
  who: "you",
  judge(evidence) {
    return perFunction(evidence, (one, file) =>
      one.calls
        .filter(
          ({ name, scope, args }) =>
            name === "Create" &&
            scope === "IOBufferMemoryDescriptor" &&
            /kIOMemoryPhysicallyContiguous|kIOMemoryHostPhysicallyContiguous|kIOMemoryPageable|kIOMemoryKernelUserShared|kIOMapInhibitCache|kIOMemoryMapper/.test(
              args[0]?.text ?? "",
            ),
        )
        .map((call) => ({
          score: 86,
          claim: `IOBufferMemoryDescriptor::Create is refused with 0xe00002c2: ${call.args[0].text} is more than a direction.`,
          because: [file.placeOf(call.node)],
          about: [nameOf(one)],
        })),
    );
  },
};
