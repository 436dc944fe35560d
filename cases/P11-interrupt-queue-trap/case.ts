// P11: after hours of interrupts a dext dies in libdispatch, with a stack that has nothing of its own in it.

import type { CaseOptions, CaseRun, DriverCase, Side } from "../driver-case.ts";
import { badRaidDriver } from "./bad-driver.ts";
import { goodRaidDriver } from "./good-driver.ts";
import { RaidBench } from "./raid-bench.ts";
import { newRaidLedger } from "./raid-driver.ts";

export const interrupts = 100_000;

async function run(side: Side, options: CaseOptions): Promise<CaseRun> {
  const ledger = newRaidLedger();
  const driver = side === "bad" ? badRaidDriver(ledger, "lifetime") : goodRaidDriver(ledger);
  const bench = new RaidBench({ ...options, driver, name: side });
  await bench.bringUp();
  await bench.storm(interrupts);
  const { machine } = bench.rig;
  const [crash] = machine.crashes;
  const counts = `${bench.raised} interrupts raised, ${ledger.callbacks} callbacks, ${ledger.completions} completions`;
  return {
    succeeded: crash === undefined && ledger.completions === bench.raised,
    result: crash === undefined ? counts : `${crash.text}, after ${counts} and ${ledger.resets} reset`,
    trace: null,
    timeline: bench.rig.timeline,
    log: machine.log.show(),
    evidence: crash?.evidence ?? [],
  };
}

export const interruptTrapCase: DriverCase = {
  id: "P11",
  title: "dispatch_sync called on queue already owned by current thread",
  symptom:
    "After ten to twelve hours of I/O the dext of a RAID adapter dies in its interrupt source's own thread, with no frame of the driver on the stack.",
  cause:
    "A queue was released once too often on the reset path while its source lives; the block is reused, and one day the word that lies there reads as the thread that looks.",
  describeRequests: [],
  run,
};
