// P14: a host adapter is unplugged, and the driver's next register read stops the Mac.

import type { CaseOptions, CaseRun, DriverCase, Side } from "../driver-case.ts";
import { badHbaDriver } from "./bad-driver.ts";
import { goodHbaDriver } from "./good-driver.ts";
import { HbaBench } from "./hba-bench.ts";
import { newLedger } from "./hba-driver.ts";

const cycles = 100;

async function run(side: Side, options: CaseOptions): Promise<CaseRun> {
  const ledger = newLedger();
  const driver = side === "bad" ? badHbaDriver(ledger) : goodHbaDriver(ledger);
  const bench = new HbaBench({ ...options, driver, name: side });
  const survived = await bench.cycles(cycles);
  const { machine, family } = bench.rig;
  const panic = machine.failure?.kind === "panic" ? machine.failure : null;
  const load = family.deadLinkLoads.at(-1);
  const where =
    load === undefined
      ? ""
      : ` (BAR${load.barIndex}+0x${load.offset.toString(16)}, read on ${load.thread}: ${load.stack.at(-1) ?? ""})`;
  return {
    succeeded: survived === cycles && panic === null,
    result:
      panic === null
        ? `${survived} unplugs survived; ${ledger.completed} commands completed, ${ledger.notPresent} ended as "device not present", ${ledger.twice} twice`
        : `panic in unplug ${survived + 1}: ${panic.text}${where}`,
    trace: null,
    log: machine.log.show(),
    evidence: panic?.evidence ?? [],
  };
}

export const unplugPanicCase: DriverCase = {
  id: "P14",
  title: "plug and unplug test leads to a panic",
  symptom:
    "Within about a hundred unplugs over Thunderbolt the Mac panics with an LLC bus error, always at the same address.",
  cause:
    "MemoryRead32 is a plain load from the BAR; between the death of the link and the end of the driver's reads each of them stops the machine.",
  describeRequests: [],
  run,
};
