// The npm package `usb`'s own API on a rig: list, claims, transfers, polling, errors by name, hotplug, reset.

import assert from "node:assert/strict";
import { once } from "node:events";
import { afterEach, test } from "node:test";
import { CdcAcmDevice } from "@drydock/core/devices/cdc-acm/cdc-acm-device";
import { HidKeyboardDevice } from "@drydock/core/devices/hid-keyboard/hid-keyboard-device";
import { LoopbackDevice } from "@drydock/core/devices/loopback/loopback-device";
import type { FreeRunner } from "@drydock/core/rigs/free-runner";
import type { NpmUsbInEndpoint, NpmUsbOutEndpoint } from "./npm-usb-device.ts";
import { NpmUsbRig } from "./npm-usb-rig.ts";

const runners: FreeRunner[] = [];
afterEach(() => {
  for (const runner of runners.splice(0)) runner.stop();
});

async function bench() {
  const rig = new NpmUsbRig({ seed: 1 });
  rig.bus.plugIn(new LoopbackDevice(), 1);
  rig.bus.plugIn(new CdcAcmDevice({ clock: rig.scheduler, serialNumber: "A7", pacing: "none" }), 2);
  await rig.settle();
  runners.push(
    rig.runFreely((error) => {
      throw error;
    }),
  );
  return rig;
}

function openLoopback({ usb }: NpmUsbRig) {
  const device = usb.findByIds(0x1209, 2);
  assert.ok(device);
  device.open();
  const [entry] = device.interfaces ?? [];
  const input = entry.endpoints.find(({ direction }) => direction === "in") as NpmUsbInEndpoint;
  const output = entry.endpoints.find(({ direction }) => direction === "out") as NpmUsbOutEndpoint;
  return { device, entry, input, output };
}

test("devices by list, ids and serial number, with descriptors as the package shapes them", async () => {
  const { usb } = await bench();
  assert.equal(usb.getDeviceList().length, 2);
  const modem = await usb.findBySerialNumber("A7");
  assert.equal(modem?.deviceDescriptor.idProduct, 1);
  assert.equal(modem?.configDescriptor?.interfaces[1][0].endpoints[0].wMaxPacketSize, 64);
  assert.equal(modem?.configDescriptor?.interfaces[0][0].extra.length, 19);
  assert.equal(modem?.interfaces, undefined, "interfaces are there while it is open");
});

test("bulk both ways, a string, and what a claim is for", async () => {
  const rig = await bench();
  const { device, entry, input, output } = openLoopback(rig);
  await assert.rejects(output.transferAsync(Buffer.from("x")), { message: "LIBUSB_ERROR_NOT_FOUND" });
  entry.claim();
  assert.equal(await output.transferAsync(Buffer.from("dry dock")), 8);
  assert.equal((await input.transferAsync(512))?.toString(), "dry dock");
  const text = await new Promise((resolve, reject) =>
    device.getStringDescriptor(2, (error, answer) => (error ? reject(error) : resolve(answer))),
  );
  assert.equal(text, "Loopback");
  await entry.releaseAsync();
  assert.equal(entry.isClaimed, false);
});

test("errors by libusb's names: stall, overflow, time-out; a halt is cleared", async () => {
  const rig = await bench();
  const { device, entry, input, output } = openLoopback(rig);
  entry.claim();
  const refused = await new Promise<Error | undefined>((resolve) =>
    device.controlTransfer(0xc0, 0x55, 0, 0, 8, (error) => resolve(error)),
  );
  assert.deepEqual([refused?.message, (refused as { errno?: number })?.errno], ["LIBUSB_TRANSFER_STALL", 4]);
  await output.transferAsync(Buffer.alloc(60));
  await assert.rejects(input.transferAsync(10), { message: "LIBUSB_TRANSFER_OVERFLOW", errno: 6 });
  input.timeout = 50;
  await assert.rejects(input.transferAsync(512), { message: "LIBUSB_TRANSFER_TIMED_OUT", errno: 2 });
  await new Promise<void>((resolve) => {
    device.controlTransfer(0x40, 2, 0, 0x81, Buffer.alloc(0), () => resolve());
  });
  await new Promise<void>((resolve, reject) =>
    input.clearHalt((error) => (error === undefined ? resolve() : reject(error))),
  );
  await output.transferAsync(Buffer.from("on"));
  assert.equal((await input.transferAsync(512))?.toString(), "on");
});

test("a poll brings every report, and ends when it is stopped", async () => {
  const rig = new NpmUsbRig({ seed: 2 });
  const keyboard = new HidKeyboardDevice({ clock: rig.scheduler });
  rig.bus.plugIn(keyboard);
  await rig.settle();
  runners.push(rig.runFreely(() => {}));
  const [device] = rig.usb.getDeviceList();
  device.open();
  const entry = device.interface(0);
  entry.claim();
  const input = entry.endpoint(0x81) as NpmUsbInEndpoint;
  const keys: number[] = [];
  input.on("data", (report: Buffer) => keys.push(report[2]));
  input.startPoll(2, 8);
  assert.throws(() => input.startPoll(), /already active/);
  keyboard.press(4);
  keyboard.release(4);
  while (keys.length < 2) await once(input, "data");
  assert.deepEqual(keys, [4, 0]);
  const ended = once(input, "end");
  input.stopPoll();
  await ended;
  assert.equal(input.pollActive, false);
});

test("attach and detach events; a device that is gone says so; a reset keeps the object", async () => {
  const rig = await bench();
  const { device, entry, input } = openLoopback(rig);
  entry.claim();
  await new Promise<void>((resolve, reject) =>
    device.reset((error) => (error === undefined ? resolve() : reject(error))),
  );
  assert.equal(rig.usb.findByIds(0x1209, 2), device);
  entry.claim();
  const reading = input.transferAsync(512);
  const detached = once(rig.usb, "detach");
  rig.bus.unplug(1);
  await assert.rejects(reading, { message: "LIBUSB_TRANSFER_NO_DEVICE" });
  assert.deepEqual(await detached, [device]);
  assert.throws(() => device.open(), { message: "LIBUSB_ERROR_NO_DEVICE" });
  const attached = once(rig.usb, "attach");
  rig.bus.plugIn(new LoopbackDevice(), 1);
  const [back] = await attached;
  assert.notEqual(back, device);
  assert.equal(rig.usb.getDeviceList().length, 2);
});
