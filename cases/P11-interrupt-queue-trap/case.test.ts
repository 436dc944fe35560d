// P11: each acceptance criterion of the post, and F04.

import assert from "node:assert/strict";
import { test } from "node:test";
import { IOReturns } from "@drydock/core/base/io-return";
import {
  dispatchRules,
  IODispatchQueue,
  kIODispatchQueueReentrant,
} from "@drydock/core/runtime/dispatch-queue";
import { hostTurn } from "@drydock/node/host-turn";
import { badRaidDriver, realSystem } from "./bad-driver.ts";
import { interruptTrapCase } from "./case.ts";
import { goodRaidDriver } from "./good-driver.ts";
import { RaidBench } from "./raid-bench.ts";
import { newRaidLedger } from "./raid-driver.ts";

const turn = hostTurn;

test("P11 AC1: nesting runs inline through the framework's queue", async () => {
  const ledger = newRaidLedger();
  const bench = new RaidBench({ seed: 1, turn, driver: badRaidDriver(ledger, "nests"), name: "nests" });
  await bench.bringUp();
  await bench.storm(500);
  assert.deepEqual(bench.rig.machine.crashes, []);
  assert.equal(ledger.completions, 500);
});

test("P11 AC1: in raw mode nesting traps at the first interrupt, with the handler between the two sync frames", async () => {
  const raw = { ...realSystem, chain: false };
  const bench = new RaidBench({
    seed: 1,
    turn,
    driver: badRaidDriver(newRaidLedger(), "nests", raw),
    name: "raw",
  });
  await bench.bringUp();
  await bench.storm(1);
  const [crash] = bench.rig.machine.crashes;
  assert.match(crash?.text ?? "", /dispatch_sync called on queue already owned by current thread/);
  const report = crash.evidence.find(({ name }) => name.endsWith(".crash"))?.text ?? "";
  const frames = [...report.matchAll(/^\d+\s+\S+\s+0x\w+ ([^+\n(]+)/gm)].map((match) => match[1].trim());
  const own = frames.findIndex((frame) => /P11Driver::InterruptOccurred/.test(frame));
  const syncs = frames.flatMap((frame, at) => (/DispatchSync_f/.test(frame) ? [at] : []));
  assert.ok(own > syncs[0] && own < (syncs[1] ?? -1), frames.join(" | "));
});

test("P11 AC2: the lifetime fault traps with a clean stack; the word names the thread, and no one owns the queue", async () => {
  for (const seed of [1, 2, 3]) {
    const ledger = newRaidLedger();
    const bench = new RaidBench({ seed, turn, driver: badRaidDriver(ledger, "lifetime"), name: "lifetime" });
    await bench.bringUp();
    await bench.storm(1_000_000);
    const [crash] = bench.rig.machine.crashes;
    assert.match(crash?.text ?? "no crash", /dispatch_sync called on queue already owned by current thread/);
    assert.ok(bench.raised > 2000 && bench.raised < 1_000_000);
    const report = crash.evidence.find(({ name }) => name.endsWith(".crash"))?.text ?? "";
    assert.doesNotMatch(report, /P11Driver::InterruptOccurred/);
    assert.match(report, /IOInterruptDispatchSourceThread/);
    assert.match(report, /Abort Cause/);
  }
});

test("F04: with the two-ledger check the run stops at the faulty release, before any trap", async () => {
  const ledger = newRaidLedger();
  const driver = badRaidDriver(ledger, "lifetime", dispatchRules);
  const bench = new RaidBench({ seed: 1, turn, driver, name: "checked" });
  await bench.bringUp();
  await bench.storm(1_000_000);
  const { failure } = bench.rig.machine;
  assert.equal(failure?.kind, "violation");
  assert.match(
    failure.text,
    /queue-freed-under-source: queue InterruptQueue was released for the last time with 1 source/,
  );
  assert.ok(bench.raised < 3000);
});

test("P11 AC3, AC5: the good driver loses nothing in a storm; counts above one, and both forms of delivery occur", async () => {
  const ledger = newRaidLedger();
  const bench = new RaidBench({ seed: 11, turn, driver: goodRaidDriver(ledger), name: "good" });
  await bench.bringUp();
  // Work on a queue now and then, so that deliveries find it busy.
  const channel = bench.driver?.channels[0];
  const { scheduler } = bench.rig.machine;
  const occupy = (): void => {
    channel?.queue.dispatchAsync(() => scheduler.sleep(20_000));
    scheduler.after(100_000, occupy, undefined);
  };
  scheduler.after(0, occupy, undefined);
  await bench.storm(200_000);
  bench.driver?.noteDeliveries();
  assert.deepEqual(bench.rig.machine.crashes, []);
  assert.equal(bench.raised, 200_000);
  assert.equal(ledger.interrupts, 200_000);
  assert.equal(ledger.completions, 200_000);
  assert.ok(ledger.callbacks < ledger.interrupts);
  assert.ok(ledger.folded > 1000 && ledger.sync > 1000 && ledger.async > 10, JSON.stringify(ledger));
});

test("P11 AC4: a count as an index: source 0 is the pin, the last vector never fires; the good driver takes 1 to 5", async () => {
  const ledger = newRaidLedger();
  const bench = new RaidBench({ seed: 2, turn, driver: badRaidDriver(ledger, "index"), name: "index" });
  await bench.bringUp();
  const bad = bench.driver?.channels.map(({ index }) => index);
  assert.deepEqual(bad, [0, 1, 2, 3, 4]);
  const [device] = bench.rig.family.devices;
  assert.equal(device.interruptType(0), 1);
  for (let each = 0; each < 10; each++) bench.board.finishWork(4);
  await bench.rig.machine.scheduler.run(bench.rig.machine.scheduler.nowNs() + 1e9);
  assert.equal(ledger.interrupts, 0);
  assert.equal(device.interrupts.unclaimed, 10);
  const good = new RaidBench({ seed: 2, turn, driver: goodRaidDriver(newRaidLedger()), name: "good" });
  await good.bringUp();
  assert.deepEqual(
    good.driver?.channels.map(({ index }) => index),
    [1, 2, 3, 4, 5],
  );
});

test("P11 AC6: two handlers that wait for each other's queue hang; the scheduler names the cycle, nothing traps", async () => {
  const driver = badRaidDriver(newRaidLedger(), "crosses");
  let waits: readonly {
    readonly thread: string;
    readonly waitsFor: string;
    readonly heldBy: string | null;
  }[] = [];
  for (let seed = 1; seed <= 20 && waits.length < 2; seed++) {
    const bench = new RaidBench({ seed, turn, driver, name: "crosses" });
    await bench.bringUp();
    bench.board.finishWork(0);
    bench.board.finishWork(1);
    await bench.rig.machine.scheduler.run(bench.rig.machine.scheduler.nowNs() + 1e9);
    assert.deepEqual(bench.rig.machine.crashes, []);
    waits = bench.rig.machine.scheduler.waits();
  }
  assert.equal(waits.length, 2);
  for (const { waitsFor, heldBy } of waits) {
    assert.match(waitsFor, /queue InterruptQueue/);
    assert.match(heldBy ?? "", /interrupt [12]/);
  }
});

test("P11 AC7: Sleep on a plain queue is refused with 0xe00002d8; on a reentrant one other work runs meanwhile", async () => {
  const bench = new RaidBench({ seed: 3, turn, driver: goodRaidDriver(newRaidLedger()), name: "good" });
  await bench.bringUp();
  const { machine } = bench.rig;
  const process = bench.driver?.process;
  assert.ok(process !== undefined);
  const seen: string[] = [];
  await machine.perform(async () => {
    const plain = IODispatchQueue.create(process, "plain");
    const status = await plain.dispatchSync(() => plain.sleep(seen, 1000));
    assert.equal(status, IOReturns.kIOReturnNotReady);
    assert.equal(status >>> 0, 0xe00002d8);
    const reentrant = IODispatchQueue.create(process, "reentrant", kIODispatchQueueReentrant);
    reentrant.dispatchAsync(() => void seen.push("meanwhile"));
    await reentrant.dispatchSync(async () => {
      await reentrant.sleep(seen, 1_000_000);
      seen.push("awake");
    });
  }, process);
  assert.deepEqual(seen.sort(), ["awake", "meanwhile"]);
});

test("P11: the case is sound: bad dies of the trap, good loses nothing", async () => {
  const bad = await interruptTrapCase.run("bad", { seed: 1, turn });
  assert.equal(bad.succeeded, false);
  assert.match(bad.result, /^BUG IN CLIENT OF LIBDISPATCH: .* after \d+ interrupts raised, \d+ callbacks/);
  const good = await interruptTrapCase.run("good", { seed: 1, turn });
  assert.equal(good.succeeded, true, good.result);
});
