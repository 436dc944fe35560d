// P17: the acceptance criteria about the path of a log line.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { grepForSender, pingBench, textPredicate } from "./case.ts";

const options = { seed: 17, turn: hostTurn };

test("P17 AC1: after an upgrade the grep finds only the first load's lines, the text predicate finds all", async () => {
  const bench = await pingBench("bad", options);
  await bench.ping(3);
  await bench.upgrade();
  await bench.ping(4);
  const { log } = bench.machine;
  assert.equal(grepForSender(log.show()).length, 3);
  assert.equal(log.show({ predicate: textPredicate }).length, 7);
  log.refreshResolver();
  await bench.ping(2);
  assert.equal(grepForSender(log.show()).length, 5, "a refreshed logd attributes new lines again");
});

test("P17: every line is the kernel's: process kernel, pid 0, no subsystem", async () => {
  const bench = await pingBench("bad", options);
  await bench.ping(1);
  const [row] = bench.machine.log.show({ predicate: textPredicate });
  assert.deepEqual([row.process, row.pid, row.subsystem, row.category], ["kernel", 0, "", ""]);
  assert.equal(row.sender, "org.drydock.case.p17.ping.dext");
});

test("P17 AC2: a burst of 100000 lines: what is missing is exactly what the drop counter says", async () => {
  const bench = await pingBench("bad", options);
  await bench.ping(100_000);
  const { log } = bench.machine;
  const shown = log.show({ predicate: textPredicate }).length;
  assert.ok(log.droppedMessageCount > 0);
  assert.equal(shown + log.droppedMessageCount, 100_000);
  assert.ok(log.dmesg().length > 0, "dmesg is a witness of its own");
});

test("P17 AC3: the driver's own trace and the machine's ring have every event, without a gap", async () => {
  const bench = await pingBench("good", options);
  assert.equal(await bench.ping(100_000), 100_000);
  assert.ok(bench.machine.log.droppedMessageCount > 0, "the log itself lost lines meanwhile");
  const sequences = [...bench.machine.ring.events()].map((event) => event.sequence);
  assert.equal(bench.machine.ring.overwritten, 0);
  sequences.forEach((sequence, index) => {
    assert.equal(sequence, index);
  });
});

test("P17 AC4: os_log of 300 bytes appears with 239 characters", async () => {
  const bench = await pingBench("bad", options);
  const { machine } = bench;
  machine.registry.byClass("Ping")[0].log("x".repeat(300));
  await machine.run();
  const row = machine.log.show({ predicate: 'eventMessage BEGINSWITH "xxx"' })[0];
  assert.equal(row.message.length, 239);
  assert.equal(machine.log.cutMessageCount, 1);
});
