// P14: AC1 over a hundred seeds, AC2 at length, and the cable pulled at every step for both drivers (F01).

import assert from "node:assert/strict";
import { test } from "node:test";
import { unplugAtEveryStep } from "@drydock/core/trials/scenario";
import { hostTurn } from "@drydock/node/host-turn";
import { badHbaDriver } from "./bad-driver.ts";
import { goodHbaDriver } from "./good-driver.ts";
import { HbaBench, runHbaScenario } from "./hba-bench.ts";
import { newLedger } from "./hba-driver.ts";
import { panicsOf } from "./panics.ts";

const turn = hostTurn;
/** DRYDOCK_P14_UNPLUGS: 10000 and more for the endurance run. */
const unplugs = Number(process.env.DRYDOCK_P14_UNPLUGS ?? 2000);

test(`P14 AC2: the good driver survives ${unplugs} unplugs at random moments; every command ends once, nothing leaks`, async () => {
  const ledger = newLedger();
  const bench = new HbaBench({ seed: 14, turn, driver: goodHbaDriver(ledger), name: "good" });
  assert.equal(await bench.cycles(unplugs), unplugs);
  await bench.settle();
  await bench.pull();
  const { machine, pci, family } = bench.rig;
  assert.equal(machine.failure, null);
  assert.deepEqual(machine.crashes, []);
  assert.equal(ledger.twice, 0);
  assert.equal(ledger.completed + ledger.notPresent, ledger.submitted);
  assert.ok(ledger.notPresent >= unplugs);
  assert.equal(pci.iommu.mappings.size, 0);
  assert.equal(family.deadLinkLoads.length, 0);
});

test("P14 AC1: the bad driver panics within 100 unplugs for at least 95 of 100 seeds", async () => {
  const panics = await panicsOf(100, turn);
  assert.ok(panics >= 95, `${panics} of 100`);
});

test("F01: pulled at every step, the bad driver's panics are at the same steps on two runs; the good driver has none", async () => {
  const explore = async (name: string) =>
    unplugAtEveryStep((unplugAtStep) => {
      const ledger = newLedger();
      const driver = name === "bad" ? badHbaDriver(ledger) : goodHbaDriver(ledger);
      return runHbaScenario({ seed: 3, turn, driver, name, unplugAtStep });
    });
  const [first, second] = [await explore("bad"), await explore("bad")];
  assert.ok(first.failures.length > 0);
  assert.deepEqual(first.failures, second.failures);
  assert.equal(first.explored, first.steps);
  assert.ok(first.failures.some(({ problems }) => problems.some((text) => /LLC Bus error/.test(text))));
  const good = await explore("good");
  assert.deepEqual(good.failures, []);
  assert.equal(good.explored, good.steps);
});
