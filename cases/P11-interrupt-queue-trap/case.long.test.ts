// P11 AC3 at length: ten million virtual interrupts on the good driver; a hundred million are an endurance run.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { badRaidDriver } from "./bad-driver.ts";
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
  // What the adapter raised, and what the callbacks said came: two counts of two sides.
  assert.equal(bench.raised, interrupts);
  assert.equal(
    bench.board.raised.reduce((sum, count) => sum + count, 0),
    interrupts,
  );
  assert.equal(ledger.interrupts, interrupts);
  assert.equal(ledger.completions, interrupts);
  assert.ok(ledger.callbacks < interrupts / 2 && ledger.callbacks > interrupts / 100);
  console.log(
    `${bench.raised} raised, ${ledger.interrupts} delivered in ${ledger.callbacks} callbacks, ${bench.rig.machine.scheduler.nowNs() / 1e9} virtual s`,
  );
});

test("P11 AC2: the lifetime fault's trap comes within ten million interrupts, for every seed of ten", async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const ledger = newRaidLedger();
    const bench = new RaidBench({
      seed,
      turn: hostTurn,
      driver: badRaidDriver(ledger, "lifetime"),
      name: "bad",
    });
    await bench.bringUp();
    await bench.storm(10_000_000);
    assert.match(bench.rig.machine.crashes[0]?.text ?? "no crash", /already owned by current thread/);
    assert.ok(bench.raised < 10_000_000, `seed ${seed}`);
  }
});
