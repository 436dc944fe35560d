// P14: a host adapter is unplugged, and the driver's next register read stops the Mac.

import type { CaseOptions, CaseRun, DriverCase, Side, UnplugBench } from "../driver-case.ts";
import { badHbaDriver } from "./bad-driver.ts";
import { goodHbaDriver } from "./good-driver.ts";
import { HbaBench } from "./hba-bench.ts";
import { describeEnds, type EndsOfCommands, newLedger } from "./hba-driver.ts";

const cycles = 100;

async function run(side: Side, options: CaseOptions): Promise<CaseRun> {
  const { bench, ledger } = benchOf(side, options);
  return cyclesOf(bench, () => ledger);
}

/** A hundred times pulled and pushed in. `ledgerOf`: what became of all commands, asked at the end. */
export async function cyclesOf(bench: HbaBench, ledgerOf: () => EndsOfCommands): Promise<CaseRun> {
  const survived = await bench.cycles(cycles);
  const { machine } = bench.rig;
  const panic = panicOf(bench);
  return {
    succeeded: survived === cycles && panic === null,
    result:
      panic === null
        ? `${survived} unplugs survived; ${describeEnds(ledgerOf())}`
        : `panic in unplug ${survived + 1}: ${panic.text}${whereRead(bench)}`,
    trace: null,
    log: machine.log.show(),
    evidence: panic?.evidence ?? [],
  };
}

function benchOf(side: Side, options: CaseOptions) {
  const ledger = newLedger();
  const driver = side === "bad" ? badHbaDriver(ledger) : goodHbaDriver(ledger);
  return { bench: new HbaBench({ ...options, driver, name: side }), ledger };
}

const panicOf = ({ rig }: HbaBench) => (rig.machine.failure?.kind === "panic" ? rig.machine.failure : null);

/** The load that stopped the machine. */
function whereRead({ rig }: HbaBench): string {
  const load = rig.family.deadLinkLoads.at(-1);
  return load === undefined
    ? ""
    : ` (BAR${load.barIndex}+0x${load.offset.toString(16)}, read on ${load.thread}: ${load.stack.at(-1) ?? ""})`;
}

/** How long the driver works before the cable stays where it is, and how long the end may take. */
const workNs = 3_000_000;
const endNs = 10e9;

/** Brings it up and lets it work; the cable is pulled before a step, and everything may end. */
const unplug: UnplugBench = {
  steps: async (side, options) => {
    const { bench } = benchOf(side, options);
    await bench.settle();
    const { scheduler } = bench.rig.machine;
    await scheduler.run(scheduler.nowNs() + workNs);
    return scheduler.steps;
  },
  run: async (side, options, step) => {
    const { bench, ledger } = benchOf(side, options);
    const { machine, pci, timeline } = bench.rig;
    const { scheduler } = machine;
    await scheduler.run(endNs, () => scheduler.steps >= step - 1);
    const at = scheduler.nowNs();
    pci.bus.unplug(1);
    await scheduler.run(at + endNs, () => bench.driver === null && scheduler.nowNs() > at + workNs);
    const panic = panicOf(bench);
    const isGone = bench.driver === null;
    return {
      succeeded: panic === null && isGone,
      result:
        panic !== null
          ? `unplugged before step ${step}: panic: ${panic.text}${whereRead(bench)}`
          : `unplugged before step ${step}: ${isGone ? "survived" : "the driver did not end"}; ${describeEnds(ledger)}`,
      trace: null,
      timeline,
      log: machine.log.show(),
      evidence: panic?.evidence ?? [],
    };
  },
};

export const unplugPanicCase: DriverCase = {
  id: "P14",
  title: "plug and unplug test leads to a panic",
  symptom:
    "Within about a hundred unplugs over Thunderbolt the Mac panics with an LLC bus error, always at the same address.",
  cause:
    "MemoryRead32 is a plain load from the BAR; between the death of the link and the end of the driver's reads each of them stops the machine.",
  describeRequests: [],
  unplug,
  run,
};
