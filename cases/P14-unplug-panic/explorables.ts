// P14's drivers for `drydock explore`: the one whose reads stop the machine, and the one that makes none.

import type { Explorable } from "@drydock/core/trials/explorables";
import { badHbaDriver } from "./bad-driver.ts";
import { goodHbaDriver } from "./good-driver.ts";
import { runHbaScenario } from "./hba-bench.ts";
import { newLedger } from "./hba-driver.ts";

export const hbaExplorables: readonly Explorable[] = (["bad", "good"] as const).map((side) => ({
  name: `p14-${side}`,
  summary: `the ${side} driver of case P14, on Apple silicon`,
  hasWaysOut: true,
  run: (seed, turn, plan) => {
    const ledger = newLedger();
    const driver = side === "bad" ? badHbaDriver(ledger) : goodHbaDriver(ledger);
    return runHbaScenario({ seed, turn, driver, name: side, ...plan });
  },
}));
