// The loopback device by itself, transaction by transaction.

import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfiguration } from "../../codec/usb/descriptors.ts";
import { UsbSpeed } from "../../codec/usb/usb-speed.ts";
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

test("at SuperSpeed each stream has its own 4 KiB, and 16 streams are stated", () => {
  const device = new LoopbackDevice(undefined, UsbSpeed.super);
  const told: [number, number | undefined][] = [];
  device.plug({ ready: (endpoint, stream) => told.push([endpoint, stream]), reconnect: () => {} });
  device.setup(Uint8Array.of(0, 9, 1, 0, 0, 0, 0, 0));
  assert.equal(device.in(0x80, new Uint8Array(0), 0, 0), 0);
  assert.equal(device.out(0x01, Uint8Array.of(3), 0, 1, 3), 1);
  assert.deepEqual(told, [[0x81, 3]]);
  const back = new Uint8Array(8);
  assert.equal(device.in(0x81, back, 0, 8, 2), UsbNak);
  assert.equal(device.in(0x81, back, 0, 8, 3), 1);
  assert.equal(back[0], 3);
  const block = new Uint8Array(4096);
  assert.equal(device.out(0x01, block, 0, 4096, 4), 4096);
  assert.equal(device.out(0x01, block, 0, 1, 4), UsbNak);
  assert.equal(device.out(0x01, block, 0, 1, 5), 1);
  device.setup(Uint8Array.of(0x80, 6, 0, 2, 0, 0, 255, 0));
  const bytes = new Uint8Array(255);
  const configuration = parseConfiguration(bytes.subarray(0, device.in(0x80, bytes, 0, 255)));
  const [first] = configuration.interfaces[0].settings;
  assert.deepEqual(
    first.endpoints.map(({ companion }) => companion?.bmAttributes),
    [4, 4, 0],
  );
});
