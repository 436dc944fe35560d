// The mass-storage model, transaction by transaction.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../../base/random.ts";
import { UsbStall } from "../../ports/usb-device.ts";
import { sendHostileSetups } from "../hostile-setups.ts";
import { MassStorageDevice } from "./mass-storage-device.ts";

function configured(): MassStorageDevice {
  const device = new MassStorageDevice();
  device.plug({ ready: () => {}, reconnect: () => {} });
  device.setup(Uint8Array.of(0, 9, 1, 0, 0, 0, 0, 0));
  assert.equal(device.in(0x80, new Uint8Array(0), 0, 0), 0);
  return device;
}

test("mass-storage: the version request answers, an unknown one stalls", () => {
  const device = configured();
  device.setup(Uint8Array.of(0xc0, 1, 0, 0, 0, 0, 2, 0));
  assert.equal(device.in(0x80, new Uint8Array(2), 0, 2), 2);
  device.setup(Uint8Array.of(0xc0, 99, 0, 0, 0, 0, 2, 0));
  assert.equal(device.in(0x80, new Uint8Array(2), 0, 2), UsbStall);
});

test("mass-storage: bulk data arrives", () => {
  const device = configured();
  assert.equal(device.out(0x02, new Uint8Array(10), 0, 10), 10);
  assert.equal(device.receivedBytes, 10);
});

test("mass-storage: 1000 hostile SETUPs are answered as hardware answers", () => {
  assert.equal(sendHostileSetups(configured(), new Random(1), 1000), null);
});
