// qtest clients against a QEMU that is slow, silent, dead, or talks nonsense: named, and nobody waits for ever.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../../base/random.ts";
import { VirtualClock } from "../../base/virtual-clock.ts";
import { memoryStreamPair } from "../../rigs/memory-stream.ts";
import { LineStream } from "./line-stream.ts";
import { QmpClient } from "./qmp-client.ts";
import { fakeLines, qtestBench } from "./test/fake-qemu.ts";

test("answers go to their requests in order, cut anywhere, with interrupts between them", () => {
  const { clock, qemu, client, deaths } = qtestBench(
    (line) => `OK 0x${Number(line.split(" ")[1]).toString(16)}`,
  );
  const answers: number[] = [];
  const interrupts: string[] = [];
  client.onInterrupt = (line, isRaised) => interrupts.push(`${line} ${isRaised}`);
  for (let at = 0; at < 50; at++) client.send(`readl 0x${at.toString(16)}`, (low) => answers.push(low));
  clock.after(1500, () => qemu.send("IRQ raise 22"), undefined);
  clock.runUntil(1e9);
  assert.deepEqual(
    answers,
    Array.from({ length: 50 }, (_, at) => at),
  );
  assert.deepEqual(interrupts, ["22 true"]);
  assert.equal(client.pending, 0);
  assert.deepEqual(deaths, []);
});

for (const [name, reply, pattern] of [
  ["silent", () => null, /has not answered "readl 0x0" for 10 s/],
  ["a refusal", () => "FAIL Unknown command", /refused "readl 0x0": Unknown command/],
  ["nonsense", () => "\u001b[2Jhello", /makes no sense/],
  ["an answer too many", () => "OK 0x1\nOK 0x2", /answered what nobody asked/],
] as const) {
  test(`a QEMU with ${name} is named once, and promises end`, async () => {
    const { clock, client, deaths } = qtestBench(reply);
    const asked = client.ask("readl 0x0");
    const settled = asked.then(
      () => "answered",
      () => "rejected",
    );
    clock.runUntil(60e9);
    assert.equal(deaths.length, 1);
    assert.match(deaths[0], pattern);
    assert.equal(deaths[0].includes("\u001b"), false);
    assert.ok(client.isDead);
    assert.ok(["answered", "rejected"].includes(await settled));
    await assert.rejects(client.ask("readl 0x4"));
  });
}

for (const [condition, seconds, words] of [
  ["stopped", 1, /for 1 s: its process has been stopped by a signal/],
  ["asleep", 2, /for 2 s: its process sleeps and does nothing/],
  ["gone", 1, /for 1 s: its process has ended/],
  ["working", 10, /for 10 s$/],
] as const) {
  test(`a silent QEMU whose process is ${condition} is named after ${seconds} s, not before`, () => {
    const { clock, client, deaths } = qtestBench(
      () => null,
      () => condition,
    );
    client.send("readl 0x0");
    clock.runUntil(seconds * 1e9 - 1e8);
    assert.deepEqual(deaths, []);
    clock.runUntil(seconds * 1e9 + 1e8);
    assert.match(deaths[0], words);
  });
}

test("a slow QEMU that sleeps now and then, and answers in the end, lives", () => {
  let looks = 0;
  const { clock, qemu, client, deaths } = qtestBench(
    () => null,
    () => (++looks % 3 === 0 ? "working" : "asleep"),
  );
  const answers: number[] = [];
  client.send("readl 0x0", (low) => answers.push(low));
  clock.after(8e9, () => qemu.send("OK 0x5"), undefined);
  clock.runUntil(30e9);
  assert.deepEqual([answers, deaths], [[5], []]);
});

test("a connection that ends is a death, and later requests go nowhere", () => {
  const { clock, qemu, client, deaths } = qtestBench(() => null);
  client.send("readl 0x0");
  clock.after(5000, () => qemu.close(), undefined);
  clock.runUntil(1e9);
  assert.deepEqual(deaths.length, 1);
  assert.match(deaths[0], /connection was closed/);
  client.send("readl 0x0");
  clock.runUntil(60e9);
  assert.equal(deaths.length, 1);
});

test("a line without an end is cut off at a mebibyte", () => {
  const clock = new VirtualClock();
  const [near, far] = memoryStreamPair({ clock });
  const reasons: string[] = [];
  new LineStream(near, { line: () => {}, closed: (reason) => reasons.push(reason) }, () => {});
  far.connect({ received: () => {}, drained: () => {}, closed: () => {} });
  for (let piece = 0; piece < 20; piece++) far.write(new Uint8Array(65536).fill(0x41));
  clock.runUntil(1e9);
  assert.deepEqual(reasons, ["it sent a line without an end"]);
});

test("QMP: commands wait for the greeting, errors carry QEMU's words, garbage ends it", async () => {
  const clock = new VirtualClock();
  const [near, far] = memoryStreamPair({ clock, random: new Random(5) });
  const qemu = fakeLines(far, clock, (line) => {
    const { execute } = JSON.parse(line) as { execute: string };
    if (execute === "device_del") return '{"error": {"class": "GenericError", "desc": "no such device"}}';
    if (execute === "quit") return "}{";
    return '{"return": {"ok": true}}';
  });
  const qmp = new QmpClient(near, clock);
  const first = qmp.execute("query-status");
  const second = qmp.execute("device_del", { id: "nv" });
  const third = qmp.execute("quit");
  const endings = Promise.allSettled([first, second, third]);
  qemu.send('{"QMP": {"version": {}}}');
  qemu.send('{"event": "POWERDOWN", "data": {"a": 1}}');
  clock.runUntil(1e9);
  for (let turn = 0; turn < 10; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.runUntil(clock.nowNs() + 1e9);
  }
  const [one, two, three] = await endings;
  assert.equal(one.status, "fulfilled");
  assert.match(String((two as PromiseRejectedResult).reason), /QMP device_del: no such device/);
  assert.match(String((three as PromiseRejectedResult).reason), /not JSON/);
  assert.equal(qmp.events[0].name, "POWERDOWN");
});
