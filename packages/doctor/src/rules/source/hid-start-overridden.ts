// FX-HID-START: Start is overridden on IOUserHIDDevice.

import type { Rule } from "../rule.ts";
import { perSource } from "../source-questions.ts";

export const hidStartOverridden: Rule = {
  id: "FX-HID-START",
  title: "Start is overridden on IOUserHIDDevice",
  severity: "warning",
  certainty: "established",
  source: "Apple's reference of IOUserHIDDevice: override handleStart",
  needs: ["source"],
  why: "IOUserHIDDevice's own Start asks handleStart, then newDeviceDescription and newReportDescriptor, and registers the device. A driver that overrides Start gets between these steps.",
  fix: [
    "Override handleStart instead: open the hardware there and answer false when it fails.",
    "Answer RegisterService = true in newDeviceDescription, so that the device is published.",
  ],
  who: "you",
  judge(evidence) {
    return perSource(evidence, (file) =>
      file.classes
        .filter(
          ({ bases, methods }) =>
            bases.includes("IOUserHIDDevice") && !methods.some(({ name }) => name === "handleStart"),
        )
        .flatMap((one) =>
          one.methods
            .filter(({ name }) => name === "Start")
            .map(({ node }) => ({
              score: 70,
              claim: `${one.name} overrides Start; an IOUserHIDDevice overrides handleStart.`,
              because: [file.placeOf(node)],
              about: [one.name],
            })),
        ),
    );
  },
};
