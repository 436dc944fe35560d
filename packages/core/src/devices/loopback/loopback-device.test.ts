// The loopback device by itself, transaction by transaction.

import assert from "node:assert/strict";
import { test } from "node:test";
import { UsbNak, UsbStall } from "../../ports/usb-device.ts";
import { LoopbackDevice } from "./loopback-device.ts";

function configured(): LoopbackDevice {
  const device = new LoopbackDevice();
  device.plug({ ready: () => {}, reconnect: () => {} });
  device.setup(Uint8Array.of(0, 9, 1, 0, 0, 0, 0, 0));
  assert.equal(device.in(0x80, new Uint8Array(0), 0, 0), 0);
  return device;
}

test("unconfigured endpoints stall, configured ones answer NAK or data", () => {
  const fresh = new LoopbackDevice();
  fresh.plug({ ready: () => {}, reconnect: () => {} });
  assert.equal(fresh.in(0x81, new Uint8Array(64), 0, 64), UsbStall);
  const device = configured();
  assert.equal(device.in(0x81, new Uint8Array(64), 0, 64), UsbNak);
  assert.equal(device.out(0x01, Uint8Array.of(1, 2, 3), 0, 3), 3);
  const back = new Uint8Array(64);
  assert.equal(device.in(0x81, back, 0, 64), 3);
  assert.deepEqual([...back.subarray(0, 3)], [1, 2, 3]);
});

test("a full device answers NAK and loses nothing", () => {
  const device = configured();
  const block = new Uint8Array(4096).fill(7);
  assert.equal(device.out(0x01, block, 0, 4096), 4096);
  assert.equal(device.out(0x01, block, 0, 1), UsbNak);
  assert.equal(device.in(0x81, new Uint8Array(64), 0, 64), 64);
  assert.equal(device.out(0x01, block, 0, 100), 64);
});

test("an unknown vendor request stalls in its status stage", () => {
  const device = configured();
  device.setup(Uint8Array.of(0x40, 99, 0, 0, 0, 0, 0, 0));
  assert.equal(device.in(0x80, new Uint8Array(0), 0, 0), UsbStall);
});
