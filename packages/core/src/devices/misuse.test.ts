// What devices say that their drivers do against a specification: said for the wrong way, and not for the right one.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../base/random.ts";
import { VirtualClock } from "../base/virtual-clock.ts";
import { commandWrapperBytes, putCommandWrapper } from "../codec/mass-storage/bulk-only.ts";
import type { UsbDevicePort } from "../ports/usb-device.ts";
import { CdcAcmDevice } from "./cdc-acm/cdc-acm-device.ts";
import { CdcEcmDevice } from "./cdc-ecm/cdc-ecm-device.ts";
import { MassStorageDevice } from "./mass-storage/mass-storage-device.ts";
import { ScsiDiskDevice } from "./scsi-disk/scsi-disk-device.ts";

const nothing = new Uint8Array(0);

function request(device: UsbDevicePort, ...setup: readonly number[]): void {
  device.setup(Uint8Array.from(setup));
  device.in(0x80, nothing, 0, 0);
}

/** Configured, with its first setting; `said` grows as the device speaks. */
function begun<Device extends UsbDevicePort>(device: Device): { device: Device; said: string[] } {
  const said: string[] = [];
  device.plug({ ready: () => {}, reconnect: () => {}, misused: (text) => said.push(text) });
  request(device, 0, 9, 1, 0, 0, 0, 0, 0);
  return { device, said };
}

test("CDC ACM: data before DTR, and a class request to another interface", () => {
  const { device, said } = begun(new CdcAcmDevice({ clock: new VirtualClock() }));
  device.out(0x02, Uint8Array.of(65), 0, 1);
  assert.match(said.join("\n"), /^data, and DTR was never set.*PSTN 1\.2 §6\.3\.12/);
  said.length = 0;
  request(device, 0x21, 0x22, 3, 0, 1, 0, 0, 0);
  assert.match(said.join("\n"), /^a class request to interface 1, and the communications interface is 0/);
  said.length = 0;
  request(device, 0x21, 0x22, 3, 0, 0, 0, 0, 0);
  device.out(0x02, Uint8Array.of(65), 0, 1);
  assert.deepEqual(said, []);
});

test("CDC ECM: a frame that no short packet ends, and an empty packet too many", () => {
  const { device, said } = begun(new CdcEcmDevice({}));
  request(device, 1, 11, 1, 0, 1, 0, 0, 0);
  const packet = new Uint8Array(512);
  const out = (length: number) => device.out(0x02, packet, 0, length);
  out(512);
  out(100);
  assert.deepEqual(said, [], "ended by a short packet");
  out(0);
  assert.match(said.join("\n"), /^an empty frame: .*ECM 1\.2 §3\.3\.1/);
  said.length = 0;
  for (let count = 0; count < 4; count++) out(512);
  out(20);
  assert.match(said.join("\n"), /^2068 bytes without a short packet between.*an empty packet is missing/);
});

function disk() {
  const clock = new VirtualClock();
  const target = new ScsiDiskDevice({ clock, random: new Random(1), units: [{ blockCount: 64 }] });
  return begun(new MassStorageDevice({ target }));
}

test("Bulk-Only: a command after the reset request without clearing both pipes, and with it", () => {
  const wrapper = new Uint8Array(commandWrapperBytes);
  putCommandWrapper(wrapper, 1, 0, false, 0, new Uint8Array(16), 6);
  const clear = (device: UsbDevicePort, endpoint: number) => request(device, 2, 1, 0, 0, endpoint, 0, 0, 0);
  const wrong = disk();
  request(wrong.device, 0x21, 0xff, 0, 0, 0, 0, 0, 0);
  clear(wrong.device, 0x81);
  wrong.device.out(0x02, wrapper, 0, wrapper.length);
  assert.match(wrong.said.join("\n"), /^a command after the reset request.*§5\.3\.4/);
  const right = disk();
  request(right.device, 0x21, 0xff, 0, 0, 0, 0, 0, 0);
  clear(right.device, 0x81);
  clear(right.device, 0x02);
  right.device.out(0x02, wrapper, 0, wrapper.length);
  assert.deepEqual(right.said, []);
});

test("a halted endpoint: one transfer is answered by STALL, the next one is said to have forgotten the halt", () => {
  const { device, said } = disk();
  device.out(0x02, new Uint8Array(31), 0, 31);
  device.in(0x81, new Uint8Array(64), 0, 64);
  assert.deepEqual(said, []);
  device.in(0x81, new Uint8Array(64), 0, 64);
  assert.match(said.join("\n"), /^another transfer on endpoint 0x81, which is halted.*§9\.4\.5/);
});
