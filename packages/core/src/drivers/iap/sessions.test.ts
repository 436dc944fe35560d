// Sessions as apps see them: over the link, over interfaces of their own, with windows of one, ended by either side.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { IOReturns } from "../../base/io-return.ts";
import { AccessoryDevice, type AccessoryOptions } from "../../devices/accessory/accessory-device.ts";
import { AccessorySystem, type EASession } from "../../families/accessory/ea-accessory-manager.ts";
import { RunLoop } from "../../families/accessory/run-loop.ts";
import { platformProfile } from "../../platform/platform-profile.ts";
import { UsbRig } from "../../rigs/usb-rig.ts";
import { iapBundle } from "./iap-driver.ts";

const second = 1e9;
const linked = "org.drydock.linked";
const own = "org.drydock.own";
const protocols = [
  { id: 1, name: linked, matchAction: 0 },
  { id: 2, name: own, matchAction: 0, nativeTransport: 7 },
];

async function phoneWith(options: Omit<AccessoryOptions, "clock"> = {}, seed = 1) {
  const rig = new UsbRig({ seed, turn: hostTurn, profile: platformProfile("iphone") });
  const { machine } = rig;
  const { scheduler } = machine;
  const system = new AccessorySystem(machine);
  machine.install(iapBundle(system));
  const device = new AccessoryDevice({ clock: scheduler, identification: { protocols }, ...options });
  rig.usb.bus.plugIn(device, 1);
  const launch = (name: string) => {
    const app = machine.launchApplication({ name });
    return { app, manager: system.sharedManager([linked, own], new RunLoop(app)) };
  };
  const { app, manager } = launch("First");
  await scheduler.run(10 * second, () => system.accessories.length > 0);
  // Interfaces of single protocols come up beside the link.
  const run = (seconds = 5) => scheduler.run(scheduler.nowNs() + seconds * second, () => false);
  await run(1);
  return { rig, machine, system, device, launch, app, manager, run };
}

/** Writes as space is told, and collects what comes. */
function talk(session: EASession, loop: RunLoop, say: Uint8Array) {
  const heard: number[] = [];
  const events: string[] = [];
  let at = 0;
  for (const stream of [session.inputStream, session.outputStream]) {
    stream.delegate = {
      stream: (_from, event) => {
        if (event === "hasSpaceAvailable") at += Math.max(0, session.outputStream.write(say.subarray(at)));
        else if (event === "hasBytesAvailable") heard.push(...session.inputStream.read(1000));
        else events.push(event);
      },
    };
    stream.schedule(loop);
    stream.open();
  }
  return { heard, events };
}

const payload = new Uint8Array(1500).map((_, index) => index * 7);

for (const protocol of [linked, own])
  for (const segmentBytes of [1, 17, 64, 700])
    test(`${protocol}: every byte comes back in order, in segments of ${segmentBytes}`, async () => {
      const { app, device, machine, manager, run } = await phoneWith({ segmentBytes });
      const session = manager.openSession(manager.connectedAccessories[0], protocol);
      assert.ok(session !== null);
      const { heard } = talk(session, new RunLoop(app), payload);
      await run(60);
      assert.deepEqual(heard, [...payload]);
      assert.deepEqual([device.receivedBytes, device.sentBytes], [1500, 1500]);
      session.close();
      await run(5);
      // And a second time: the interface was given back.
      const again = manager.openSession(manager.connectedAccessories[0], protocol);
      assert.ok(again !== null);
      const more = talk(again, new RunLoop(app), payload.subarray(0, 100));
      await run(20);
      assert.deepEqual(more.heard, [...payload.subarray(0, 100)]);
      assert.deepEqual([machine.failure, machine.crashes, device.problems], [null, [], []]);
    });

test("an interface of its own carries plain bytes: setting 1 while the session is open, and none of the link's packets", async () => {
  const { app, manager, rig, run } = await phoneWith();
  const session = manager.openSession(manager.connectedAccessories[0], own);
  assert.ok(session !== null);
  const { heard } = talk(session, new RunLoop(app), new TextEncoder().encode("plain"));
  await run(2);
  session.close();
  await run(5);
  assert.equal(String.fromCharCode(...heard), "plain");
  const settings: number[] = [];
  const bytes: string[] = [];
  for (const row of rig.usb.trace?.all() ?? []) {
    if (row.setup?.[0] === 1 && row.setup[1] === 11) settings.push(row.setup[2]);
    if (row.endpoint === 2 && row.data.length > 0) bytes.push(new TextDecoder().decode(row.data));
  }
  assert.deepEqual(settings, [1, 0]);
  assert.deepEqual(bytes, ["plain"]);
});

test("a device that refuses the setting, or leaves in the middle: streams end, nothing is left", async () => {
  const { app, machine, manager, rig, run, system } = await phoneWith();
  const session = manager.openSession(manager.connectedAccessories[0], own);
  assert.ok(session !== null);
  const { events } = talk(session, new RunLoop(app), payload);
  rig.usb.bus.unplug(1);
  await run(2);
  assert.deepEqual(events.filter((event) => event === "endEncountered").length, 2);
  assert.equal(system.accessories.length, 0);
  assert.equal(machine.registry.byClass("EANativeTransport").length, 0);
  assert.equal(session.outputStream.write(Uint8Array.of(1)), -1);
  assert.equal(manager.openSession(session.accessory, own), null);
  assert.deepEqual([machine.failure, machine.crashes], [null, []]);
});

test("a window of one packet: coming up, two sessions and their data take turns", async () => {
  const { app, device, manager, run, system } = await phoneWith({
    link: { maximumOutstanding: 1 },
    identification: { protocols: [1, 2].map((id) => ({ id, name: `org.drydock.p${id}`, matchAction: 0 })) },
  });
  assert.equal(manager.connectedAccessories.length, 1);
  assert.equal(manager.openSession(manager.connectedAccessories[0], linked), null, "not offered");
  const loop = new RunLoop(app);
  const other = system.sharedManager(["org.drydock.p1", "org.drydock.p2"], loop);
  const [first, second_] = ["org.drydock.p1", "org.drydock.p2"].map((name) =>
    other.openSession(manager.connectedAccessories[0], name),
  );
  assert.ok(first !== null && second_ !== null);
  const heard = [first, second_].map((session) => talk(session, loop, payload.subarray(0, 300)).heard);
  await run(120);
  assert.deepEqual(heard, [[...payload.subarray(0, 300)], [...payload.subarray(0, 300)]]);
  assert.deepEqual(device.problems, []);
});

test("an identification longer than a packet comes in several and is one message", async () => {
  const many = Array.from({ length: 120 }, (_, index) => ({
    id: index + 1,
    name: `org.drydock.protocol.number.${index}`,
    matchAction: 0,
  }));
  const { device, manager } = await phoneWith({
    identification: { protocols: many },
    link: { maximumPacketBytes: 200 },
  });
  assert.equal(manager.connectedAccessories[0]?.protocolStrings.length, 120);
  assert.deepEqual(device.problems, []);
});

test("the accessory ends a session: the app's streams end, the next one is given", async () => {
  const { app, device, manager, run } = await phoneWith();
  const [accessory] = manager.connectedAccessories;
  const session = manager.openSession(accessory, linked);
  assert.ok(session !== null);
  const { events } = talk(session, new RunLoop(app), payload.subarray(0, 10));
  await run(2);
  device.endSession(linked);
  await run(2);
  assert.equal(events.filter((event) => event === "endEncountered").length, 2);
  assert.equal(session.outputStream.write(Uint8Array.of(1)), -1);
  assert.notEqual(manager.openSession(accessory, linked), null);
});

test("an app that has ended holds no session: the next app gets it", async () => {
  const { app, launch, manager } = await phoneWith();
  const [accessory] = manager.connectedAccessories;
  const other = launch("Second");
  assert.notEqual(manager.openSession(accessory, linked), null);
  assert.equal(other.manager.openSession(accessory, linked), null);
  assert.equal(other.manager.refusals[0].reason, "a session with this protocol is open already");
  app.end(IOReturns.kIOReturnAborted);
  assert.notEqual(other.manager.openSession(accessory, linked), null);
});

test("a suspended app hears nothing of what came and went, and of what stayed when it goes on", async () => {
  const { manager, rig, run, device } = await phoneWith();
  const heard: string[] = [];
  manager.registerForLocalNotifications((name, { connectionID }) => heard.push(`${name} ${connectionID}`));
  manager.suspend();
  rig.usb.bus.unplug(1);
  await run(2);
  for (let times = 0; times < 2; times++) {
    rig.usb.bus.plugIn(device, 1);
    await run(5);
    if (times === 0) rig.usb.bus.unplug(1);
    await run(1);
  }
  assert.deepEqual(heard, []);
  manager.resume();
  await run(1);
  assert.deepEqual(heard, ["EAAccessoryDidDisconnect 1", "EAAccessoryDidConnect 3"]);
  assert.deepEqual(
    manager.connectedAccessories.map(({ connectionID }) => connectionID),
    [3],
  );
});

test("the cable pulled at every third step of a session that opens, talks and closes: it ends clean, and comes back", async () => {
  for (let step = 1; step <= 240; step += 3) {
    const { app, device, machine, manager, rig, run, system } = await phoneWith({ segmentBytes: 40 }, step);
    const { scheduler } = machine;
    const session = manager.openSession(manager.connectedAccessories[0], own);
    assert.ok(session !== null);
    const { heard } = talk(session, new RunLoop(app), payload.subarray(0, 300));
    const begun = scheduler.steps;
    scheduler.onStep = () => {
      if (scheduler.steps - begun === step / 2) session.close();
      if (scheduler.steps - begun === step) rig.usb.bus.unplug(1);
    };
    await run(5);
    rig.usb.bus.unplug(1);
    await run(5);
    assert.equal(system.accessories.length, 0, `step ${step}`);
    assert.equal(machine.registry.byClass("EANativeTransport").length, 0, `step ${step}`);
    assert.deepEqual(heard, [...payload.subarray(0, heard.length)]);
    scheduler.onStep = () => {};
    rig.usb.bus.plugIn(device, 1);
    await scheduler.run(scheduler.nowNs() + 10 * second, () => system.accessories.length > 0);
    await run(1);
    const again = manager.openSession(manager.connectedAccessories[0], own);
    assert.ok(again !== null, `step ${step}: ${manager.refusals.at(-1)?.reason}`);
    const more = talk(again, new RunLoop(app), payload.subarray(0, 10));
    await run(2);
    assert.deepEqual(more.heard, [...payload.subarray(0, 10)], `step ${step}`);
    assert.deepEqual([machine.failure, machine.crashes], [null, []]);
  }
});

test("an accessory that sends without end to an app that never reads: the session ends, memory does not grow, the other goes on", async () => {
  for (const protocol of [linked, own]) {
    let chatter: (bytes: Uint8Array) => void = () => {};
    const { app, machine, manager, run } = await phoneWith({
      application: {
        received: (name, bytes, send) => {
          if (name === protocol) chatter = send;
          else send(bytes.slice());
        },
      },
    });
    const [accessory] = manager.connectedAccessories;
    const deaf = manager.openSession(accessory, protocol);
    const other = manager.openSession(accessory, protocol === own ? linked : own);
    assert.ok(deaf !== null && other !== null);
    deaf.outputStream.open();
    deaf.inputStream.open();
    deaf.outputStream.write(Uint8Array.of(1));
    const { heard } = talk(other, new RunLoop(app), payload.subarray(0, 200));
    await run(1);
    for (let block = 0; block < 3 && deaf.inputStream.streamStatus === "open"; block++) {
      chatter(new Uint8Array(600_000));
      await run(30);
    }
    assert.equal(deaf.inputStream.streamStatus, "atEnd", protocol);
    assert.ok(deaf.inputStream.unreadBytes <= 1 << 20);
    assert.ok(machine.log.show().some(({ message }) => /unread bytes of .*: its session ends/.test(message)));
    assert.deepEqual(heard, [...payload.subarray(0, 200)]);
    assert.deepEqual([machine.failure, machine.crashes], [null, []]);
  }
});
