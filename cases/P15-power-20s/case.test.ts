// P15: each acceptance criterion of the post.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "@drydock/core/base/random";
import { BlockStatus } from "@drydock/core/ports/block";
import { powerRehearsal } from "@drydock/core/trials/power-rehearsal";
import { changePower, firstRead, slowDisk } from "@drydock/core/trials/slow-disk";
import { hostTurn } from "@drydock/node/host-turn";
import { badPowerBundle, badPowerDriver, type PowerMistake } from "./bad-driver.ts";
import { power20sCase } from "./case.ts";
import { goodPowerBundle } from "./good-driver.ts";
import { PowerDriver, powerBundle } from "./power-driver.ts";

const second = 1e9;
const options = { seed: 15, turn: hostTurn };

test("P15 AC1: 25 s of spin-up behind the bad dext: panic at 20.1 to 21.5 s, on every seed, with its evidence", async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const { rig } = await slowDisk(badPowerBundle, 25, { ...options, seed });
    await changePower(rig, "sleep");
    assert.equal(rig.machine.power.reports.at(-1)?.acknowledgedBy, "super");
    await changePower(rig, "wake");
    const { failure } = rig.machine;
    assert.ok(failure?.kind === "panic");
    const text = /^\w+::setPowerState\(0x\S+ : 0x\S+, 0 -> 2\) timed out after (\d+) ms/.exec(failure.text);
    assert.ok(text !== null, failure.text);
    assert.ok(Number(text[1]) >= 20_100 && Number(text[1]) <= 21_500, text[1]);
    const report = failure.evidence.find((file) => /^panic-full-.*\.ips$/.test(file.name));
    assert.ok(report?.text.includes(`timed out after ${text[1]} ms`));
    assert.match(
      powerRehearsal(rig.machine).at(-1) ?? "",
      /never acknowledged within 20\.000 s: a Mac panics/,
    );
  }
});

test("P15 AC1: the same drive under the class driver alone, as with a kext: complete at 25 s", async () => {
  const { rig, media } = await slowDisk(null, 25, options);
  await changePower(rig, "sleep");
  await changePower(rig, "wake");
  assert.equal(rig.machine.failure, null);
  const wake = rig.machine.power.reports.at(-1);
  assert.ok(wake?.tookNs != null && wake.tookNs >= 25 * second && wake.tookNs < 25.1 * second);
  assert.equal(wake.budgetNs, 100 * second);
  assert.equal((await firstRead(rig, media)).status, BlockStatus.ok);
  const lines = powerRehearsal(rig.machine, rig.scsi.units);
  assert.ok(
    lines.some((line) => /0 -> 2: 25\.\d+ s of 100\.000 s \(25 %\): in time/.test(line)),
    lines.join("\n"),
  );
  assert.ok(lines.some((line) => /up: START STOP UNIT \(start\) took 25\.\d+ s: GOOD/.test(line)));
});

test("P15 AC2: the good dext: no panic with 60 s of spin-up, the first read after wake waits and succeeds", async () => {
  const { rig, media } = await slowDisk(goodPowerBundle, 60, options);
  await changePower(rig, "sleep");
  await changePower(rig, "wake");
  assert.equal(rig.machine.failure, null);
  const wake = rig.machine.power.reports.at(-1);
  assert.ok(wake?.tookNs != null && wake.tookNs < second);
  const read = await firstRead(rig, media);
  assert.equal(read.status, BlockStatus.ok);
  assert.ok(read.tookNs > 59 * second && read.tookNs < 62 * second, `${read.tookNs}`);
});

async function sleepWith(mistake: PowerMistake) {
  const { rig } = await slowDisk(powerBundle(mistake, badPowerDriver(mistake)), 0, options);
  await changePower(rig, "sleep");
  return rig.machine;
}

test("P15 AC3: a driver that never calls super: panic", async () => {
  const { failure } = await sleepWith("noSuper");
  assert.ok(failure?.kind === "panic");
  assert.match(failure.text, /2 -> 0\) timed out after 2[01]\d{3} ms/);
});

test("P15 AC3: a driver that calls super twice is reported by rule", async () => {
  const { failure } = await sleepWith("superTwice");
  assert.equal(failure?.kind, "violation");
  assert.match(failure?.text ?? "", /power-acknowledged-without-change|a second time for one change/);
});

test("P15 AC3: a driver that returns an error has acknowledged by it", async () => {
  const machine = await sleepWith("error");
  assert.equal(machine.failure, null);
  assert.equal(machine.power.reports.at(-1)?.acknowledgedBy, "error");
  assert.match(powerRehearsal(machine).at(-1) ?? "", /an error, which counts as an acknowledgement$/);
});

test("P15 AC4: 1000 cycles of sleep and wake with random latencies below 20 s: no panic", async () => {
  const random = new Random(4);
  class P15Driver extends PowerDriver {
    override async setPowerState(powerFlags: number): Promise<void> {
      await this.kernel.scheduler.sleep(random.below(19.9 * second));
      await super.setPowerState(powerFlags);
    }
  }
  const { rig, media } = await slowDisk(powerBundle("storm", P15Driver), 0, options);
  for (let cycle = 0; cycle < 1000; cycle++) {
    await changePower(rig, "sleep");
    await changePower(rig, "wake");
    assert.equal(rig.machine.failure, null, `cycle ${cycle}`);
  }
  const { reports } = rig.machine.power;
  assert.equal(reports.length, 2000);
  assert.ok(reports.every(({ acknowledgedBy }) => acknowledgedBy === "super"));
  assert.equal((await firstRead(rig, media)).status, BlockStatus.ok);
});

test("P15: the case is sound: bad fails by panic, good succeeds", async () => {
  const bad = await power20sCase.run("bad", options);
  assert.equal(bad.succeeded, false);
  assert.match(bad.result, /a Mac panics: .*timed out after/);
  const good = await power20sCase.run("good", options);
  assert.equal(good.succeeded, true, good.result);
});
