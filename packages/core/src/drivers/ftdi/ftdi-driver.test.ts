// The FTDI driver on the FTDI model: daily use, errors, unplug.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { FtdiDevice } from "../../devices/ftdi/ftdi-device.ts";
import { ScriptedFarEnd } from "../../devices/serial-far-ends.ts";
import { defaultSerialRig } from "../../rigs/serial-rig.ts";
import { openSerialSession } from "../../rigs/serial-session.ts";

const second = 1_000_000_000;

async function bench(seed = 1) {
  const rig = defaultSerialRig(seed, hostTurn, { devices: ["ftdi"] });
  const session = await openSerialSession(rig);
  return { rig, session, device: rig.devices[0] as FtdiDevice };
}

const pattern = (length: number) =>
  new Uint8Array(length).map((_, index) => (index * 17 + (index >> 8)) & 255);

test("20000 bytes at 115200 baud come back unchanged", async () => {
  const { rig, session } = await bench();
  session.configure({ baudRate: 115200 });
  const sent = pattern(20_000);
  session.send(sent);
  await rig.machine.scheduler.run(10 * second, () => session.received.length >= sent.length);
  assert.deepEqual(Uint8Array.from(session.received), sent);
});

test("baud, data bits, parity and stop bits arrive at the chip", async () => {
  const { rig, session, device } = await bench();
  session.configure({ baudRate: 38400, dataBits: 7, parity: "even", halfStopBits: 4 });
  await rig.machine.run(rig.machine.scheduler.nowNs() + second / 10);
  const { baudRate, dataBits, parity, stop } = device.observe();
  assert.deepEqual([baudRate, dataBits, parity, stop], [38400, 7, 2, 2]);
});

test("flow control, break and control lines arrive at the chip", async () => {
  const { rig, session, device } = await bench();
  assert.deepEqual([device.observe().dtr, device.observe().rts], [true, true], "open raises DTR and RTS");
  session.configure({ rtsCts: true });
  session.port.setBreak(true);
  session.port.setModemControl(false, true);
  await rig.machine.run(rig.machine.scheduler.nowNs() + second / 10);
  const seen = device.observe();
  assert.deepEqual([seen.flow, seen.isBreaking, seen.dtr, seen.rts], [1, true, false, true]);
  session.port.setBreak(false);
  session.port.close();
  await rig.machine.run(rig.machine.scheduler.nowNs() + second / 10);
  assert.deepEqual([device.observe().isBreaking, device.observe().dtr], [false, false]);
});

test("what the chip cannot do is refused and named, and the port goes on working", async () => {
  const { rig, session } = await bench();
  session.configure({ dataBits: 5 });
  await rig.machine.run(rig.machine.scheduler.nowNs() + second / 10);
  assert.equal(rig.ports[0].lastFailure?.call, "HwProgramUART");
  session.configure({ baudRate: 9600 });
  session.send(pattern(10));
  await rig.machine.scheduler.run(
    rig.machine.scheduler.nowNs() + second,
    () => session.received.length === 10,
  );
  assert.equal(session.received.length, 10);
});

test("modem lines and receive errors reach the program", async () => {
  const rig = defaultSerialRig(1, hostTurn, { devices: [] });
  const farEnd = new ScriptedFarEnd(rig.machine.scheduler, [
    { atNs: 2 * second, modem: { cts: true, dcd: true } },
    { atNs: 2.1 * second, error: "parity" },
  ]);
  rig.usb.bus.plugIn(new FtdiDevice({ clock: rig.machine.scheduler, farEnds: [farEnd] }));
  const session = await openSerialSession(rig);
  await rig.machine.run(3 * second);
  assert.deepEqual(session.modemChanges.at(-1), { cts: true, dsr: false, ri: false, dcd: true });
  assert.deepEqual(session.errors, [{ overrun: false, gotBreak: false, framing: false, parity: true }]);
});

test("unplug hangs the port up once and leaves nothing behind", async () => {
  const { rig, session } = await bench();
  session.send(pattern(5000));
  await rig.machine.run(rig.machine.scheduler.nowNs() + second / 20);
  rig.usb.bus.unplug(1);
  assert.equal((await rig.machine.run()).reason, "idle");
  assert.equal(session.hangUps, 1);
  assert.equal(rig.machine.registry.byClass("FtdiDriver").length, 0);
  assert.equal(rig.machine.failure, null);
  assert.deepEqual(rig.machine.crashes, []);
});

test("plugged in again it comes up again", async () => {
  const { rig, device } = await bench();
  rig.usb.bus.unplug(1);
  await rig.machine.run();
  rig.usb.bus.plugIn(device, 1);
  const again = await openSerialSession(rig, 1);
  again.send(pattern(100));
  await rig.machine.scheduler.run(
    rig.machine.scheduler.nowNs() + second,
    () => again.received.length === 100,
  );
  assert.deepEqual(Uint8Array.from(again.received), pattern(100));
});

test("an FT4232H has four ports, and each carries its own bytes", async () => {
  const rig = defaultSerialRig(4, hostTurn, { devices: ["ft4232h"] });
  await rig.machine.run(2 * second);
  assert.equal(rig.ports.length, 4);
  assert.equal(new Set(rig.ports.map((port) => port.name)).size, 4);
  const sessions = [];
  for (let index = 0; index < 4; index++) sessions.push(await openSerialSession(rig, index));
  sessions.forEach((session, index) => {
    session.send(Uint8Array.of(index, index + 10));
  });
  await rig.machine.run(rig.machine.scheduler.nowNs() + second);
  assert.deepEqual(
    sessions.map((session) => session.received),
    [0, 1, 2, 3].map((index) => [index, index + 10]),
  );
});
