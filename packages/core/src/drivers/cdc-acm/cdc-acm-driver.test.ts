// The CDC ACM driver on the CDC ACM model: daily use, errors, unplug.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { CdcAcmDevice } from "../../devices/cdc-acm/cdc-acm-device.ts";
import { ScriptedFarEnd } from "../../devices/serial-far-ends.ts";
import { defaultSerialRig } from "../../rigs/serial-rig.ts";
import { openSerialSession } from "../../rigs/serial-session.ts";

const second = 1_000_000_000;

async function bench(seed = 1) {
  const rig = defaultSerialRig(seed, hostTurn, { devices: ["cdc-acm"] });
  const session = await openSerialSession(rig);
  return { rig, session, device: rig.devices[0] as CdcAcmDevice };
}

const pattern = (length: number) =>
  new Uint8Array(length).map((_, index) => (index * 19 + (index >> 8)) & 255);

test("20000 bytes at 115200 baud come back unchanged", async () => {
  const { rig, session } = await bench();
  session.configure({ baudRate: 115200 });
  const sent = pattern(20_000);
  session.send(sent);
  await rig.machine.scheduler.run(10 * second, () => session.received.length >= sent.length);
  assert.deepEqual(Uint8Array.from(session.received), sent);
});

test("line coding, control lines and break arrive at the model", async () => {
  const { rig, session, device } = await bench();
  session.configure({ baudRate: 57600, dataBits: 7, parity: "odd", halfStopBits: 3 });
  session.port.setModemControl(true, false);
  session.port.setBreak(true);
  await rig.machine.run(rig.machine.scheduler.nowNs() + second / 10);
  const { lineCoding, dtr, rts, isBreaking, refusedRequests } = device.observe();
  assert.deepEqual(lineCoding, { dwDTERate: 57600, bCharFormat: 1, bParityType: 1, bDataBits: 7 });
  assert.deepEqual([dtr, rts, isBreaking, refusedRequests], [true, false, true, 0]);
});

test("a rate the device refuses is named, and the port goes on working", async () => {
  const { rig, session } = await bench();
  session.configure({ baudRate: 100_000_000 });
  await rig.machine.run(rig.machine.scheduler.nowNs() + second / 10);
  assert.equal(rig.ports[0].lastFailure?.status, 0xe0005000);
  session.configure({ baudRate: 9600 });
  session.send(pattern(10));
  await rig.machine.scheduler.run(
    rig.machine.scheduler.nowNs() + second,
    () => session.received.length === 10,
  );
  assert.equal(session.received.length, 10);
});

test("serial state notifications become modem lines and receive errors", async () => {
  const rig = defaultSerialRig(1, hostTurn, { devices: [] });
  const farEnd = new ScriptedFarEnd(rig.machine.scheduler, [
    { atNs: 2 * second, modem: { dsr: true, dcd: true } },
    { atNs: 2.1 * second, error: "framing" },
    { atNs: 2.2 * second, error: "break" },
  ]);
  rig.usb.bus.plugIn(new CdcAcmDevice({ clock: rig.machine.scheduler, farEnd }));
  const session = await openSerialSession(rig);
  await rig.machine.run(3 * second);
  assert.deepEqual(session.modemChanges.at(-1), { cts: true, dsr: true, ri: false, dcd: true });
  assert.deepEqual(
    session.errors.map((errors) => [errors.framing, errors.gotBreak]),
    [
      [true, false],
      [false, true],
    ],
  );
});

test("unplug hangs the port up once and leaves nothing behind", async () => {
  const { rig, session } = await bench();
  session.send(pattern(5000));
  await rig.machine.run(rig.machine.scheduler.nowNs() + second / 20);
  rig.usb.bus.unplug(1);
  assert.equal((await rig.machine.run()).reason, "idle");
  assert.equal(session.hangUps, 1);
  assert.equal(rig.machine.registry.byClass("CdcAcmDriver").length, 0);
  assert.equal(rig.machine.failure, null);
});

test("closed and opened again, the port works", async () => {
  const { rig, session } = await bench();
  for (let round = 0; round < 5; round++) {
    session.port.close();
    await rig.machine.run(rig.machine.scheduler.nowNs() + second / 20);
    session.reopen();
    session.received.length = 0;
    session.send(pattern(50));
    await rig.machine.scheduler.run(
      rig.machine.scheduler.nowNs() + second,
      () => session.received.length === 50,
    );
    assert.deepEqual(Uint8Array.from(session.received), pattern(50), `round ${round}`);
  }
});
