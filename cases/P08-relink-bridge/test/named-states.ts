// What the explorer's runs must show, however many there are.

import assert from "node:assert/strict";
import type { CaseOptions } from "../../driver-case.ts";
import { bridgePaths } from "../bridge-bench.ts";
import { alike, type Combination, type Explored, explore, explorerReport } from "../explorer.ts";

/** Each combination on one of the three transports in turn. */
export async function assertNamed(some: readonly Combination[], options: CaseOptions): Promise<void> {
  const all: Explored[] = [];
  for (const [index, combination] of some.entries())
    all.push(await explore(combination, bridgePaths[index % bridgePaths.length], options));
  for (const { bad, combination, good } of all) {
    assert.notEqual(bad.state, "unknown", JSON.stringify(combination));
    const possible =
      combination.unlock === "survives" ? "unlocked and readable" : "the device loses the unlock on relink";
    assert.equal(good.outcome, possible, JSON.stringify(combination));
  }
  // From GOOD and GOOD alone, a host cannot say whether the relink waits for a reset or was forgotten.
  const same = [...alike(all).values()];
  const isAlike = same.some(
    (states) =>
      states.includes("accepted, never carried out") && states.includes("waits for a reset of the port"),
  );
  assert.ok(isAlike, explorerReport(all).join("\n"));
}
