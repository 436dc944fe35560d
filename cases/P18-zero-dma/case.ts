// P18: a RAID dext gets a buffer of zeros, though the firmware says that it wrote. Six causes, six ledgers.

import { formatRegistryTree } from "@drydock/core/platform/evidence/registry-dump";
import type { CaseOptions, CaseRun, DriverCase, Side } from "../driver-case.ts";
import { likeliestFault } from "./bad-driver.ts";
import type { ZeroDmaFault } from "./faults.ts";
import { noFault } from "./good-driver.ts";
import { ZeroDmaBench } from "./zero-dma-bench.ts";

/** One fault, or none, with what a person would have at hand afterwards. */
export async function runZeroDma(fault: ZeroDmaFault | null, options: CaseOptions): Promise<CaseRun> {
  const bench = new ZeroDmaBench({ ...options, fault });
  await bench.run();
  const { machine, media } = bench.rig;
  const blocks = media[0]?.geometry.blockCount ?? 0;
  const [nub] = bench.rig.family.devices;
  // What ioreg shows of the nub alone: registry ids and what hangs below differ with every start.
  const recorded = nub?.properties["pci-dart-error-data"];
  const root = machine.registry.snapshot(nub);
  const tree = formatRegistryTree({ ...root, children: [] });
  return {
    succeeded: fault === null && blocks > 0,
    result: `the disk has ${blocks} blocks${recorded === undefined ? "" : ", and the IOMMU recorded a fault"}`,
    trace: null,
    // The driver's own lines: what the post shows.
    log: machine.log.show().filter(({ message }) => message.includes("P18 ")),
    evidence: [
      { name: "dma-ledger.txt", text: bench.ledgerText() },
      { name: "ioreg.txt", text: tree },
    ],
  };
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
};
