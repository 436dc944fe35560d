// The USB object: who sees which device, what the user's choice does, events, filters, the blocklist.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import type { USBDevice, USBDeviceFilter } from "../../ports/web-usb.ts";
import { WebUsbRig, type WebUsbRigOptions } from "../../rigs/web-usb-rig.ts";
import { isBlocklisted, parseBlocklist, publicBlocklist } from "./device-filter.ts";
import { TwoModeDevice, type TwoModePlan } from "./test/two-mode-device.ts";
import { disconnect, page, rejects } from "./test/web-usb-bench.ts";
import { WebUsbConnectionEvent } from "./web-usb.ts";

async function rigWith(plans: readonly TwoModePlan[], options: Partial<WebUsbRigOptions> = {}) {
  const rig = new WebUsbRig({ seed: 5, turn: hostTurn, ...options });
  for (const plan of plans) rig.berth.bus.plugIn(new TwoModeDevice(plan));
  await rig.settle();
  rig.runFreely((error) => {
    throw error;
  });
  return rig;
}

const serials = (devices: readonly USBDevice[]) => devices.map(({ serialNumber }) => serialNumber ?? "");

test("nothing is granted at first; what was chosen is seen from then on, as the same object", async () => {
  const rig = await rigWith([{ serial: "A" }, { serial: "B" }]);
  assert.deepEqual(await rig.usb.getDevices(), []);
  const chosen = await rig.usb.requestDevice({ filters: [{ serialNumber: "B" }] });
  assert.equal(chosen.serialNumber, "B");
  assert.deepEqual(await rig.usb.getDevices(), [chosen]);
  assert.equal(await rig.usb.requestDevice({ filters: [{ serialNumber: "B" }] }), chosen);
  assert.deepEqual(rig.usb.allowedDevices, [{ vendorId: 0x1209, productId: 0xf00d, serialNumber: "B" }]);
  await chosen.forget();
  assert.deepEqual(await rig.usb.getDevices(), []);
  assert.deepEqual(rig.usb.allowedDevices, []);
});

test("the user sees what the filters leave, and may refuse", async () => {
  const offered: string[][] = [];
  const rig = await rigWith([{ serial: "A" }, { serial: "B" }, { serial: "C", vendor: 0x1234 }], {
    devicesFound: (devices) => {
      offered.push(serials(devices).sort());
      return null;
    },
  });
  const ask = async (filters: USBDeviceFilter[], exclusionFilters: USBDeviceFilter[] = []) =>
    rejects(rig.usb.requestDevice({ filters, exclusionFilters }), "NotFoundError");
  await ask([]);
  await ask([{ vendorId: 0x1234 }]);
  await ask([{ vendorId: 0x1209, productId: 0xf00d }]);
  await ask([{ vendorId: 0x1209, productId: 1 }]);
  await ask([], [{ serialNumber: "A" }]);
  await ask([{ serialNumber: "A" }, { serialNumber: "C" }]);
  await ask([{ classCode: 0xff, subclassCode: 3 }]);
  await ask([{ classCode: 0xff, subclassCode: 9 }]);
  await ask([{ classCode: 7, subclassCode: 1, protocolCode: 2 }]);
  await ask([{ classCode: 7, subclassCode: 1, protocolCode: 3 }]);
  const all = ["A", "B", "C"];
  assert.deepEqual(offered, [all, ["C"], ["A", "B"], [], ["B", "C"], ["A", "C"], all, [], all, []]);
});

test("a device that was not offered cannot be chosen", async () => {
  const { device } = await page();
  const rig = await rigWith([{}], { devicesFound: () => device });
  await rejects(rig.usb.requestDevice({ filters: [] }), "NotFoundError");
});

test("requestDevice: lawful filters, a user's gesture", async () => {
  let isActive = true;
  const rig = await rigWith([{}], { hasUserActivation: () => isActive });
  for (const filter of [{ productId: 1 }, { subclassCode: 1 }, { classCode: 1, protocolCode: 1 }]) {
    await rejects(rig.usb.requestDevice({ filters: [filter] }), "TypeError");
    await rejects(rig.usb.requestDevice({ filters: [], exclusionFilters: [filter] }), "TypeError");
  }
  await rejects(rig.usb.requestDevice({} as { filters: [] }), "TypeError");
  const both = await Promise.all([
    rig.usb.requestDevice({ filters: [] }),
    rig.usb.requestDevice({ filters: [] }),
  ]);
  assert.equal(both[0], both[1]);
  isActive = false;
  await rejects(rig.usb.requestDevice({ filters: [] }), "SecurityError");
});

test("permissions outlive a device with a serial number, and end with one without", async () => {
  for (const [serial, left] of [
    ["A", 1],
    [undefined, 0],
  ] as const) {
    const rig = new WebUsbRig({ seed: 5, turn: hostTurn });
    const plan = serial === undefined ? {} : { serial };
    rig.berth.bus.plugIn(new TwoModeDevice(plan), 1);
    await rig.settle();
    const seen: string[] = [];
    rig.usb.onconnect = ({ type }) => seen.push(type);
    rig.usb.ondisconnect = ({ type }) => seen.push(type);
    const first = await rig.usb.requestDevice({ filters: [] });
    rig.berth.bus.unplug(1);
    await rig.settle();
    assert.equal(rig.usb.allowedDevices.length, left);
    rig.berth.bus.plugIn(new TwoModeDevice(plan), 1);
    await rig.settle();
    const again = await rig.usb.getDevices();
    assert.equal(again.length, left);
    assert.notEqual(again[0], first);
    assert.deepEqual(seen, left === 1 ? ["disconnect", "connect"] : ["disconnect"]);
  }
});

test("what was granted in an earlier session is granted", async () => {
  const rig = await rigWith([{ serial: "A" }, { serial: "B" }], {
    allowedDevices: [{ vendorId: 0x1209, productId: 0xf00d, serialNumber: "B" }],
  });
  assert.deepEqual(serials(await rig.usb.getDevices()), ["B"]);
});

test("events: listeners of every form, once, removed, handlers replaced", async () => {
  const all = await page();
  const { usb } = all.rig;
  const seen: string[] = [];
  const removed = () => seen.push("removed");
  usb.addEventListener("disconnect", { handleEvent: ({ type }) => seen.push(`object ${type}`) });
  usb.addEventListener("disconnect", removed);
  usb.removeEventListener("disconnect", removed);
  usb.ondisconnect = () => seen.push("replaced");
  const last = () => seen.push("handler");
  usb.ondisconnect = last;
  assert.equal(usb.ondisconnect, last);
  await disconnect(all);
  assert.deepEqual(seen, ["object disconnect", "handler"]);
  const event = new WebUsbConnectionEvent("connect", { device: all.device });
  assert.ok(event instanceof globalThis.Event && usb instanceof globalThis.EventTarget);
  assert.throws(() => new WebUsbConnectionEvent("connect", {} as { device: USBDevice }), TypeError);
});

test("getDevices waits for devices that are being read just now", async () => {
  const rig = new WebUsbRig({ seed: 5, turn: hostTurn, allowAllDevices: true });
  rig.berth.bus.onAttach(() => {
    early.push(rig.usb.getDevices());
  });
  const early: Promise<USBDevice[]>[] = [];
  rig.berth.bus.plugIn(new TwoModeDevice());
  await rig.settle();
  assert.equal((await early[0]).length, 1);
});

test("the blocklist hides a device up to a release", async () => {
  const rig = await rigWith(
    [
      { release: 0x0100, serial: "old" },
      { release: 0x0200, serial: "new" },
    ],
    {
      allowAllDevices: true,
      blocklist: parseBlocklist("# comment\n1209:f00d:0123 # up to 1.2.3\nnonsense\n1:2:3:4\nzz:yy\n"),
    },
  );
  assert.deepEqual(serials(await rig.usb.getDevices()), ["new"]);
  const { device } = await page();
  const key = { vendorId: 0x1050, productId: 0x0407, deviceVersionMajor: 5 };
  assert.equal(isBlocklisted(Object.assign(Object.create(device), key), publicBlocklist), true);
  assert.equal(isBlocklisted(device, publicBlocklist), false);
  const open = await rigWith([{}], {
    allowAllDevices: true,
    isUnrestricted: true,
    blocklist: parseBlocklist("1209:f00d"),
  });
  assert.equal((await open.usb.getDevices()).length, 1);
});

test("a device that cannot be read is left out, with the reason", async () => {
  const problems: string[] = [];
  class Broken extends TwoModeDevice {
    override setup(packet: Uint8Array): void {
      // Device descriptors are asked for as something that nobody has.
      super.setup(packet[1] === 6 && packet[3] === 1 ? Uint8Array.of(0x80, 6, 0, 0x77, 0, 0, 18, 0) : packet);
    }
  }
  const rig = new WebUsbRig({
    seed: 5,
    turn: hostTurn,
    allowAllDevices: true,
    onProblem: (reason) => problems.push(reason),
  });
  rig.berth.bus.plugIn(new Broken());
  await rig.settle();
  assert.deepEqual(await rig.usb.getDevices(), []);
  assert.equal(problems.length, 1);
  assert.match(problems[0], /could not be read/);
});
