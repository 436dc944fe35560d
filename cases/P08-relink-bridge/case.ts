// P08: unlock and relink are both accepted, and the drive does not come back.

import type { RelinkBehaviour } from "@drydock/core/devices/relink-bridge/bridge-security";
import type { CaseOptions, CaseRun, DriverCase, Side } from "../driver-case.ts";
import { bridgeNotes, runBad, runGood } from "./attempts.ts";
import { bridgePaths } from "./bridge-bench.ts";

/** The post's own words fit a bridge that drops an idle link only. */
const ofThePost: Partial<RelinkBehaviour> = { drop: "when idle" };

async function run(side: Side, options: CaseOptions): Promise<CaseRun> {
  const { bench, result, succeeded } =
    side === "bad"
      ? await runBad(ofThePost, "Bulk-Only", options).then(({ bench: used, attempt, isReadable, unit }) => ({
          bench: used,
          succeeded: isReadable,
          result: `unlock ${attempt.unlock}, relink ${attempt.relink}; then the unit was ${unit}. ${bridgeNotes(used).at(-1) ?? ""}`,
        }))
      : await runGood(ofThePost, "Bulk-Only", options).then(({ bench: used, outcome, steps }) => ({
          bench: used,
          succeeded: outcome === "unlocked and readable",
          result: `${steps.join("; ")}: ${outcome}`,
        }));
  return { succeeded, result, trace: bench.rig.usb.trace, log: bench.rig.machine.log.show() };
}

export const relinkBridgeCase: DriverCase = {
  id: "P08",
  title: "an external drive is not relinked after a SCSI passthrough command",
  symptom: "The security code and the vendor command RelinkBridge both succeed; the drive stays unusable.",
  cause:
    "Success says that the commands were accepted. The relink itself needs a link that may drop: quiet, without error recovery in its way, and somebody who reads the drive anew.",
  describeRequests: [],
  run,
  async *explore(options) {
    const { combinations, explore, explorerReport } = await import("./explorer.ts");
    for (const path of bridgePaths) {
      const all = [];
      for (const combination of combinations()) all.push(await explore(combination, path, options));
      yield* [path, "", ...explorerReport(all), ""];
    }
  },
};
