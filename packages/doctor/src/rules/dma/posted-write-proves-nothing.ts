// DR18-1: the device says success and the buffer holds zeros: success of a posted write proves nothing.

import { watch } from "../../evidence/watch.ts";
import { spoken } from "../questions.ts";
import type { Rule } from "../rule.ts";

const zeros = watch(
  ["zeros", "zeroes", "zero-filled", "zeroed", "all zero", "is zero", "00 00 00 00 00 00"],
  /\b(?:all[- ])?zero(?:e?s|-filled|ed)?\b|(?:\b00 ){6,}/i,
);
const success = watch(
  ["ReplyStatus", "SCSIStatus", "fBytesTransferred", "bytes transferred", "IOCStatus"],
  /\b(?:ReplyStatus|SCSIStatus|IOCStatus)\W{1,4}(?:0x)?0+\b|fBytesTransferred\W{1,4}[1-9]|\b[1-9]\d* bytes transferred/i,
);

export const postedWriteProvesNothing: Rule = {
  id: "DR18-1",
  title: "The device says success and the buffer holds zeros: success of a posted write proves nothing",
  severity: "error",
  certainty: "established",
  source: "PCI Express Base, posted transactions; DTS answer in thread 804671",
  needs: ["log", "registry dump"],
  why: "PCIe memory writes are posted: the device gets no answer and cannot know that the IOMMU refused them or that they went elsewhere. Six causes look alike here: the data was read before the task completed, the response's byte count was left at zero, the IOMMU refused the write, the firmware wrote to its own local memory, the entry format was wrong, or another buffer was looked at.",
  fix: [
    "On macOS 26 compare pci-dart-error-data of the nub before and after: a new record means that the IOMMU refused the write.",
    "Read the data only after completion, or not at all; fill fBytesTransferred in the response.",
    "Check the direction of the mapping, and the address-space flag and width of the scatter entries that the firmware gets.",
  ],
  who: "you",
  watches: [zeros, success],
  judge(evidence) {
    const empty = spoken(evidence, zeros).filter((hit) =>
      /buffer|data|inquiry|response|dma|00 00/i.test(hit.place.text),
    );
    const done = spoken(evidence, success);
    const about = spoken(evidence, zeros)
      .concat(done)
      .some((hit) => /dma|iova|IOVM|dext|inquiry|firmware/i.test(hit.place.text));
    if (empty.length === 0 || done.length === 0 || !about) return [];
    const recorded = evidence
      .facts("registry-entry")
      .find(({ value }) => value.properties["pci-dart-error-data"] instanceof Uint8Array);
    return [
      {
        score: recorded === undefined ? 66 : 78,
        claim: `The device reports success and the buffer holds zeros${recorded === undefined ? "" : ", and the IOMMU recorded a fault: the write was probably refused"}; a posted write's success proves nothing.`,
        because: [
          empty[0].place,
          done[0].place,
          ...(recorded === undefined ? [] : [recorded.value.placeOf("pci-dart-error-data")]),
        ],
        missing: [
          "the OS version, and pci-dart-error-data before and after (macOS 26)",
          "the direction of the mapping, and when the data was read",
          "the scatter entries as the firmware gets them, with flags",
        ],
      },
    ];
  },
};
