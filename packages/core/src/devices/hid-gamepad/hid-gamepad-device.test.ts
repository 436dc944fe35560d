// The gamepad, transaction by transaction: golden reports, null state, rumble, feature report, refusals.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../../base/random.ts";
import { bytesFromHex, hexBytes } from "../../base/text.ts";
import { VirtualClock } from "../../base/virtual-clock.ts";
import { parseReportDescriptor } from "../../codec/hid-report/report-descriptor.ts";
import { isNullValue, readValue } from "../../codec/hid-report/report-values.ts";
import { UsbNak, UsbStall } from "../../ports/usb-device.ts";
import { sendHostileSetups } from "../hostile-setups.ts";
import { HidGamepadDevice, hidGamepadReportDescriptor } from "./hid-gamepad-device.ts";

function configured(): HidGamepadDevice {
  const device = new HidGamepadDevice({ clock: new VirtualClock() });
  device.plug({ ready: () => {}, reconnect: () => {} });
  device.setup(Uint8Array.of(0, 9, 1, 0, 0, 0, 0, 0));
  assert.equal(device.in(0x80, new Uint8Array(0), 0, 0), 0);
  return device;
}

function poll(device: HidGamepadDevice): Uint8Array | null {
  const buffer = new Uint8Array(8);
  const count = device.in(0x81, buffer, 0, 8);
  return count === UsbNak ? null : buffer.slice(0, count);
}

function setReport(device: HidGamepadDevice, type: number, id: number, data: Uint8Array): number {
  device.setup(Uint8Array.of(0x21, 9, id, type, 0, 0, data.length, 0));
  if (device.out(0, data, 0, data.length) < 0) return UsbStall;
  return device.in(0x80, new Uint8Array(0), 0, 0);
}

test("axes, hat and buttons stand where the descriptor says", () => {
  const device = configured();
  assert.equal(poll(device), null);
  device.moveAxis("x", -127);
  device.moveAxis("rz", 100);
  device.turnHat(3);
  device.setButton(1, true);
  device.setButton(10, true);
  let last: Uint8Array | null = null;
  for (let report = poll(device); report !== null; report = poll(device)) last = report;
  assert.ok(last !== null);
  assert.equal(hexBytes(last), "01 81 00 00 64 13 20");
  const [axes, hat, buttons] = parseReportDescriptor(hidGamepadReportDescriptor).fields;
  const report = last;
  assert.deepEqual(
    [0, 1, 2, 3].map((index) => readValue(report, axes, index)),
    [-127, 0, 0, 100],
  );
  assert.deepEqual(
    [readValue(report, hat, 0), readValue(report, buttons, 0), readValue(report, buttons, 9)],
    [3, 1, 1],
  );
  device.turnHat(null);
  const released = poll(device);
  assert.ok(released !== null && isNullValue(hat, readValue(released, hat, 0)));
  for (const wrong of [
    () => device.moveAxis("y", 128),
    () => device.turnHat(8),
    () => device.setButton(11, true),
  ])
    assert.throws(wrong, RangeError);
});

test("rumble through the control pipe and through the OUT endpoint, scaled by the feature report", () => {
  const device = configured();
  assert.equal(setReport(device, 2, 2, Uint8Array.of(2, 200, 10)), 0);
  assert.equal(setReport(device, 3, 3, Uint8Array.of(3, 50, 0)), 0);
  assert.equal(device.out(0x02, Uint8Array.of(2, 200, 10), 0, 3), 3);
  assert.deepEqual(device.rumbles, [
    { strong: 200, weak: 10 },
    { strong: 100, weak: 5 },
  ]);
  device.setup(bytesFromHex("a1 01 03 03 00 00 03 00"));
  const buffer = new Uint8Array(3);
  assert.equal(device.in(0x80, buffer, 0, 3), 3);
  assert.equal(hexBytes(buffer), "03 32 10");
});

test("reports that there are not, wrong lengths and values, and SET_PROTOCOL are stalled", () => {
  const device = configured();
  assert.equal(setReport(device, 2, 9, Uint8Array.of(9, 0, 0)), UsbStall);
  assert.equal(setReport(device, 2, 2, Uint8Array.of(2, 0)), UsbStall);
  assert.equal(setReport(device, 3, 3, Uint8Array.of(3, 101, 0)), UsbStall);
  device.setup(bytesFromHex("21 0b 00 00 00 00 00 00"));
  assert.equal(device.in(0x80, buffer0, 0, 0), UsbStall);
  assert.equal(device.refusedRequests, 4);
});

const buffer0 = new Uint8Array(0);

test("10 000 hostile SETUPs are answered as hardware answers", () => {
  assert.equal(sendHostileSetups(configured(), new Random(1), 10_000), null);
});
