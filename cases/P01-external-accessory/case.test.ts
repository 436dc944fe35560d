// P01: the acceptance criteria, and every reason for which a session is not given.

import assert from "node:assert/strict";
import { test } from "node:test";
import { diagnose } from "@drydock/doctor/diagnose";
import { hostTurn } from "@drydock/node/host-turn";
import { evidenceOfRun } from "../case-report.ts";
import { accessoryBench, echoProtocol, message } from "./accessory-bench.ts";
import { CarelessApp } from "./bad-driver.ts";
import { countRight, externalAccessoryCase, messageCount, wholeExchange } from "./case.ts";
import { SessionApp } from "./good-driver.ts";

const options = { seed: 1, turn: hostTurn };
const declared = ["org.drydock.control", echoProtocol];
const second = 1e9;

test("P01 AC1: a protocol that the Info.plist does not name gives no session, and the doctor names the string", async () => {
  const bad = await externalAccessoryCase.run("bad", options);
  assert.equal(bad.succeeded, false);
  assert.match(bad.result, /no session with org\.drydock\.echo: not declared/);
  let count = 0;
  const { answers } = await diagnose(evidenceOfRun(bad, () => `f${count++}`));
  assert.equal(answers[0]?.rule, "DR01-1");
  assert.match(answers[0].claim, /org\.drydock\.echo/);
  const good = await externalAccessoryCase.run("good", options);
  assert.equal(good.result, "100 of 100 messages came back as they were sent");
});

for (const segmentBytes of [1, 2, 17, 41, 128, 2000])
  test(`P01 AC2: one write and a read taken for a message decode nothing, the session layer decodes 100; segments of ${segmentBytes}`, async () => {
    const careless = accessoryBench(options, declared, { segmentBytes });
    const wrong = new CarelessApp(careless, wholeExchange());
    await careless.rig.machine.run(20 * second);
    assert.notEqual(wrong.session, null);
    assert.equal(careless.accessory.receivedBytes, 128, "the rest of the one write found no space");
    if (segmentBytes === 17) assert.equal(countRight(wrong.messages), 0);
    assert.ok(countRight(wrong.messages) <= 1);
    const careful = accessoryBench(options, declared, { segmentBytes });
    const right = new SessionApp(careful);
    right.onSession = () => {
      for (let index = 0; index < messageCount; index++) right.send(message(index));
    };
    await careful.rig.machine.run(60 * second);
    assert.equal(countRight(right.messages), messageCount);
    assert.deepEqual(careful.accessory.problems, []);
  });

test("P01: after the end of a stream nothing of the right app is written, whichever comes first, end or notification", async () => {
  const orders = new Set<string>();
  for (let seed = 1; seed <= 20; seed++) {
    const bench = accessoryBench({ seed, turn: hostTurn }, declared);
    const { rig } = bench;
    const app = new SessionApp(bench);
    const heard: string[] = [];
    const manager = bench.system.sharedManager(declared, bench.runLoop);
    manager.registerForLocalNotifications((name) => heard.push(name));
    await rig.machine.scheduler.run(10 * second, () => app.isConnected);
    const [accessory] = manager.connectedAccessories;
    const other = manager.openSession(accessory, "org.drydock.control");
    assert.ok(other !== null);
    other.inputStream.delegate = { stream: (_stream, event) => heard.push(event) };
    other.inputStream.schedule(bench.runLoop);
    other.inputStream.open();
    rig.usb.bus.unplug(1);
    await rig.machine.run();
    assert.equal(manager.writesAfterEnd, 0);
    assert.equal(other.outputStream.write(Uint8Array.of(1)), -1);
    assert.equal(manager.writesAfterEnd, 1);
    assert.equal(bench.manager.writesAfterEnd, 0);
    orders.add(heard.filter((word) => /End|end|Disconnect/.test(word)).join(" then "));
  }
  assert.deepEqual([...orders].sort(), [
    "EAAccessoryDidDisconnect then endEncountered",
    "endEncountered then EAAccessoryDidDisconnect",
  ]);
});

test("P01: each reason for which there is no session, by name", async () => {
  const bench = accessoryBench(options, [...declared, "org.drydock.other", "org.drydock.Echo"]);
  const { manager, rig } = bench;
  await rig.machine.run(5 * second);
  const [accessory] = manager.connectedAccessories;
  assert.deepEqual([accessory.name, accessory.manufacturer], ["Drydock Gauge", "Drydock"]);
  assert.equal(manager.openSession(accessory, "org.nobody"), null);
  assert.equal(manager.openSession(accessory, "org.drydock.other"), null);
  // Letter by letter: the case counts.
  assert.equal(manager.openSession(accessory, "org.drydock.Echo"), null);
  const session = manager.openSession(accessory, echoProtocol);
  assert.ok(session !== null);
  assert.equal(manager.openSession(accessory, echoProtocol), null);
  session.close();
  assert.notEqual(manager.openSession(accessory, echoProtocol), null);
  rig.usb.bus.unplug(1);
  await rig.machine.run();
  assert.equal(manager.openSession(accessory, echoProtocol), null);
  assert.deepEqual(
    manager.refusals.map(({ reason }) => reason),
    [
      "not declared in UISupportedExternalAccessoryProtocols",
      "not offered by the accessory",
      "not offered by the accessory",
      "a session with this protocol is open already",
      "the accessory is not connected",
    ],
  );
});

test("P01: authentication that is rejected or never answered shows no protocol; a bad identification is told by its parameters", async () => {
  for (const authentication of ["rejected", "silent"] as const) {
    const { manager, rig } = accessoryBench(options, declared, { authentication });
    await rig.machine.run(10 * second);
    assert.equal(manager.connectedAccessories.length, 0);
    const lines = rig.machine.log.show().map(({ message: text }) => text);
    assert.equal(
      lines.some((text) => /authentication of the accessory failed/.test(text)),
      authentication === "rejected",
    );
  }
  const { manager, rig } = accessoryBench(options, declared, {
    identification: { name: "", protocols: [{ id: 0, name: "x", matchAction: 0 }] },
  });
  await rig.machine.run(10 * second);
  assert.equal(manager.connectedAccessories.length, 0);
  assert.ok(
    rig.machine.log
      .show()
      .some(({ message: text }) => /identification rejected: parameters 0, 10/.test(text)),
  );
});

test("P01: space that is withheld stops the app, not the link; a stream on a loop that does not run says nothing", async () => {
  const bench = accessoryBench(options, declared);
  const { accessory, rig } = bench;
  const app = new SessionApp(bench);
  await rig.machine.scheduler.run(10 * second, () => app.isConnected);
  accessory.holdSpace();
  for (let index = 0; index < messageCount; index++) app.send(message(index));
  await rig.machine.run(rig.machine.scheduler.nowNs() + 5 * second);
  assert.equal(app.messages.length, 0);
  accessory.releaseSpace();
  await rig.machine.run(rig.machine.scheduler.nowNs() + 30 * second);
  assert.equal(countRight(app.messages), messageCount);
  assert.deepEqual(accessory.problems, []);
});
