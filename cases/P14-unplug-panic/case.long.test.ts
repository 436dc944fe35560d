// P14: AC1 over a hundred seeds; F01, the cable pulled at every step, for the bad driver twice and for the good one.

import assert from "node:assert/strict";
import { test } from "node:test";
import { unplugAtEveryStep } from "@drydock/core/trials/scenario";
import { hostTurn } from "@drydock/node/host-turn";
import { badHbaDriver } from "./bad-driver.ts";
import { goodHbaDriver } from "./good-driver.ts";
import { runHbaScenario } from "./hba-bench.ts";
import { newLedger } from "./hba-driver.ts";
import { panicsOf } from "./panics.ts";

const turn = hostTurn;

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
