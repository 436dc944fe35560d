// P11 AC3 at length: ten million virtual interrupts on the good driver; a hundred million are an endurance run.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { goodRaidDriver } from "./good-driver.ts";
import { RaidBench } from "./raid-bench.ts";
import { newRaidLedger } from "./raid-driver.ts";

/** DRYDOCK_P11_INTERRUPTS: 100000000 for the endurance run. */
const interrupts = Number(process.env.DRYDOCK_P11_INTERRUPTS ?? 10_000_000);

test(`P11 AC3: ${interrupts} interrupts: none trapped, none lost`, async () => {
  const ledger = newRaidLedger();
  const bench = new RaidBench({ seed: 11, turn: hostTurn, driver: goodRaidDriver(ledger), name: "good" });
  await bench.bringUp();
  await bench.storm(interrupts);
  assert.deepEqual(bench.rig.machine.crashes, []);
  assert.equal(bench.rig.machine.failure, null);
  assert.equal(bench.raised, interrupts);
  assert.equal(ledger.completions, interrupts);
  console.log(
    `${bench.raised} raised, ${ledger.callbacks} callbacks, ${bench.rig.machine.scheduler.nowNs() / 1e9} virtual s`,
  );
});
