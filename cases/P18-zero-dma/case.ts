// P18: a RAID dext gets a buffer of zeros, though the firmware says that it wrote. Six causes, six ledgers.

import type { CaseOptions, CaseRun, DriverCase, Side } from "../driver-case.ts";
import { likeliestFault } from "./bad-driver.ts";
import { type ZeroDmaFault, zeroDmaFaults } from "./faults.ts";
import { noFault } from "./good-driver.ts";
import { ZeroDmaBench } from "./zero-dma-bench.ts";

/** One fault, or none, with what a person would have at hand afterwards. */
export async function runZeroDma(fault: ZeroDmaFault | null, options: CaseOptions): Promise<CaseRun> {
  const bench = new ZeroDmaBench({ ...options, fault });
  await bench.run();
  return bench.caseRun(fault === null);
}

async function run(side: Side, options: CaseOptions): Promise<CaseRun> {
  return runZeroDma(side === "bad" ? likeliestFault : noFault, options);
}

export const zeroDmaCase: DriverCase = {
  id: "P18",
  title: "a dext receives a buffer of zeros, although the firmware confirms that it wrote",
  symptom: "The first INQUIRY of a RAID dext completes with six bytes, and the six bytes are zero.",
  cause:
    "Writes over PCI are posted: the hardware's success proves nothing. Where the bytes went, the mapping, the scatter entry and the order of completion tell.",
  describeRequests: [],
  run,
  causes: {
    names: zeroDmaFaults,
    run: (name, options) => runZeroDma(name as ZeroDmaFault, options),
  },
};
