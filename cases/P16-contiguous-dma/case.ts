// P16: an audio driver looks for contiguous memory. There is none to be had, and none is needed.

import type { CaseOptions, CaseRun, DriverCase, Side } from "../driver-case.ts";
import { likeliestFault } from "./bad-driver.ts";
import { noFault } from "./good-driver.ts";
import { RingBench } from "./ring-bench.ts";

async function run(side: Side, options: CaseOptions): Promise<CaseRun> {
  const bench = new RingBench({ ...options, fault: side === "bad" ? likeliestFault : noFault });
  await bench.run();
  return bench.caseRun();
}

export const contiguousDmaCase: DriverCase = {
  id: "P16",
  title: "how to allocate contiguous memory for DMA in DriverKit",
  symptom:
    "An audio ring of up to 1 MiB is to be read by hardware, no call for contiguous memory is found, and the sound is silence.",
  cause:
    "Every platform has an IOMMU: PrepareForDMA answers one segment of device addresses for any memory; what the processor calls an address means nothing to the device.",
  describeRequests: [],
  run,
};
