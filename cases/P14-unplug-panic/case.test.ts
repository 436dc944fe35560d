// P14: each acceptance criterion of the post, and F02 on its drivers. F01 is in case.long.test.ts.

import assert from "node:assert/strict";
import { test } from "node:test";
import { describeLuckyRead, luckyReads } from "@drydock/core/trials/lucky-reads";
import { describeTeardown, TeardownWatch } from "@drydock/core/trials/teardown-watch";
import { hostTurn } from "@drydock/node/host-turn";
import { badHbaDriver } from "./bad-driver.ts";
import { unplugPanicCase } from "./case.ts";
import { goodHbaDriver } from "./good-driver.ts";
import { HbaBench, intel } from "./hba-bench.ts";
import { newLedger } from "./hba-driver.ts";
import { panicsOf } from "./panics.ts";

const turn = hostTurn;

test("P14 AC1: the bad driver panics within 100 unplugs for 19 of 20 seeds, and the report says where", async () => {
  assert.ok((await panicsOf(20, turn)) >= 19);
});

test("P14 AC2: the good driver survives 250 unplugs at random moments; every command ends once", async () => {
  const ledger = newLedger();
  const bench = new HbaBench({ seed: 14, turn, driver: goodHbaDriver(ledger), name: "good" });
  assert.equal(await bench.cycles(250), 250);
  await bench.settle();
  await bench.pull();
  assert.equal(bench.rig.machine.failure, null);
  assert.deepEqual(bench.rig.machine.crashes, []);
  assert.equal(ledger.twice, 0);
  assert.equal(ledger.completed + ledger.notPresent, ledger.submitted);
  assert.ok(ledger.notPresent >= 250);
  assert.equal(bench.rig.pci.iommu.mappings.size, 0);
  assert.equal(bench.rig.family.deadLinkLoads.length, 0);
});

test("P14 AC3: on Intel the bad driver does not panic; it reads all ones for ever", async () => {
  const bench = new HbaBench({
    seed: 5,
    turn,
    profile: intel,
    driver: badHbaDriver(newLedger(), "waits-in-stop"),
    name: "bad",
  });
  assert.ok(await bench.settle());
  await bench.pull(2e6);
  assert.equal(bench.rig.machine.failure, null);
  assert.notEqual(bench.driver, null);
  assert.ok(bench.rig.family.deadLinkLoads.length > 500);
});

test("P14 AC4: an access after Close is a fault of its own: the dext dies at a tiny address in MemoryRead32", async () => {
  const driver = badHbaDriver(newLedger(), "close-first");
  let crash = null;
  for (let seed = 1; seed <= 40 && crash === null; seed++) {
    const bench = new HbaBench({ seed, turn, profile: intel, driver, name: "closes" });
    await bench.settle();
    await bench.pull(1e8);
    crash = bench.rig.machine.crashes[0] ?? null;
  }
  assert.ok(crash !== null);
  assert.match(crash.text, /bad read at 0x0: unmapped \(the BAR mappings that Close took away\)/);
  const report = crash.evidence.find(({ name }) => name.endsWith(".ips"))?.text ?? "";
  assert.match(report, /EXC_BAD_ACCESS/);
  assert.match(report, /IOPCIDevice::MemoryRead32/);
});

test("P14 AC5, F02: a run that was lucky lists its reads, with the call site and how near they were", async () => {
  const bench = new HbaBench({
    seed: 5,
    turn,
    profile: intel,
    driver: badHbaDriver(newLedger(), "waits-in-stop"),
    name: "bad",
  });
  await bench.settle();
  await bench.pull(1e6);
  const found = luckyReads(bench.rig, bench.devices);
  const inside = found.filter(({ isInDeadLink }) => isInDeadLink);
  assert.ok(inside.length > 0);
  assert.match(describeLuckyRead(inside[0]), /^BAR0\+0x8 by .*: read .* after the link had died/);
  // Apple silicon, a seed whose first unplug fell into a gap.
  for (let seed = 1; seed < 50; seed++) {
    const lucky = new HbaBench({ seed, turn, driver: badHbaDriver(newLedger()), name: "bad" });
    if (!(await lucky.settle()) || !(await lucky.pull())) continue;
    const near = luckyReads(lucky.rig, lucky.devices);
    assert.ok(near.length > 0);
    assert.match(
      describeLuckyRead(near[0]),
      /^BAR0\+0x8 by P14Driver::\w+_Impl: missed the dead link, and the panic, by /,
    );
    return;
  }
  assert.fail("no seed was lucky");
});

test("F12: with bus master off and unmap swapped, the good driver is reported with the length of the window", async () => {
  const stopped = async (order: "master-first" | "memory-first") => {
    const driver = goodHbaDriver(newLedger(), order);
    const bench = new HbaBench({ seed: 12, turn, driver, name: "orders" });
    await bench.settle();
    const { machine, pci } = bench.rig;
    const watch = new TeardownWatch(machine.scheduler, pci, bench.board);
    assert.ok(bench.driver !== null);
    machine.terminate(bench.driver);
    await machine.scheduler.run(machine.scheduler.nowNs() + 1e9);
    assert.equal(machine.failure, null);
    return watch.report();
  };
  const right = await stopped("master-first");
  assert.equal(right.windowNs, 0);
  assert.match(describeTeardown(right), /^in order: bus master off, unmap \(adapter's counters\)/);
  const swapped = await stopped("memory-first");
  assert.ok(swapped.windowNs > 0 && swapped.windowNs < 1e6, `${swapped.windowNs}`);
  assert.match(
    describeTeardown(swapped),
    /^"adapter's counters" was unmapped while the device could still write: a window of [\d.]+ (ns|us)/,
  );
});

test("P14: the case is sound: bad fails by panic, good succeeds", async () => {
  const bad = await unplugPanicCase.run("bad", { seed: 1, turn });
  assert.equal(bad.succeeded, false);
  assert.match(bad.result, /panic in unplug \d+: LLC Bus error .* \(BAR0\+0x8, read on /);
  const good = await unplugPanicCase.run("good", { seed: 1, turn });
  assert.equal(good.succeeded, true, good.result);
});
