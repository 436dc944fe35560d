// WebUSB as browsers have it where the draft report differs: the interfaces' names, and a configuration chosen twice.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { FtdiDevice } from "../../devices/ftdi/ftdi-device.ts";
import { WebUsbRig } from "../../rigs/web-usb-rig.ts";
import { formatTrace } from "../../trace/usb-text.ts";
import type { WebUsbDevice } from "./web-usb-device.ts";

/** What a page's script sees. */
interface Page {
  // biome-ignore lint/suspicious/noExplicitAny: programs that know nothing of our types
  [name: string]: any;
}

async function page() {
  const rig = new WebUsbRig({ seed: 1, turn: hostTurn });
  const place: Page = {};
  const undo = rig.installGlobals(place);
  rig.bus.plugIn(new FtdiDevice({ clock: rig.scheduler }));
  await rig.settle();
  const runner = rig.runFreely((error) => {
    throw error;
  });
  const device = (await place.navigator.usb.requestDevice({ filters: [] })) as WebUsbDevice;
  return { rig, place, undo, device, runner };
}

// @yume-chan/adb-daemon-webusb 2.3: new USBConnectionEvent("connect", { device }), dispatched by the program itself.
test("an event that a program makes is one that usb dispatches, and instanceof knows each object", async () => {
  const { place, device, runner, rig } = await page();
  const seen: unknown[] = [];
  rig.usb.addEventListener("connect", (event) => seen.push(event));
  const event = new place.USBConnectionEvent("connect", { device });
  assert.equal(rig.usb.dispatchEvent(event), true);
  assert.deepEqual(seen, [event]);
  const [configuration] = device.configurations;
  const [owner] = configuration.interfaces;
  assert.ok(device instanceof place.USBDevice);
  assert.ok(rig.usb instanceof place.USB);
  assert.ok(configuration instanceof place.USBConfiguration);
  assert.ok(owner instanceof place.USBInterface);
  assert.ok(owner.alternate instanceof place.USBAlternateInterface);
  assert.ok(owner.alternate.endpoints[0] instanceof place.USBEndpoint);
  assert.equal({} instanceof place.USBDevice, false);
  assert.equal(device.constructor.name, "USBDevice");
  runner.stop();
});

// WebUSB API, draft report: constructors of USBConfiguration and its siblings; web-platform-tests usb.https.any.js.
test("constructors look objects up, refuse what is not there, and USBDevice has none", async () => {
  const { place, device, runner } = await page();
  const configuration = new place.USBConfiguration(device, 1);
  assert.equal(configuration.configurationValue, 1);
  const endpoint = new place.USBEndpoint(configuration.interfaces[0].alternates[0], 2, "out");
  assert.deepEqual([endpoint.direction, endpoint.packetSize], ["out", 64]);
  assert.throws(() => new place.USBConfiguration(device, 9), RangeError);
  assert.throws(() => new place.USBInterface(configuration, 4), RangeError);
  assert.throws(() => new place.USBDevice(), /Illegal constructor/);
  assert.equal(new place.USBInTransferResult("stall").data, null);
  assert.throws(() => new place.USBOutTransferResult("fine"), TypeError);
  const packets = [new place.USBIsochronousInTransferPacket("ok")];
  const result = new place.USBIsochronousInTransferResult(packets);
  assert.deepEqual([result.packets.length, result.constructor.name], [1, "USBIsochronousInTransferResult"]);
  runner.stop();
});

// Web IDL: a dictionary member of an interface type takes objects of that interface and nothing else; class strings.
test("an event for what is no device is a TypeError, and an event says what it is", async () => {
  const { place, device, runner } = await page();
  for (const init of [undefined, {}, { device: null }, { device: {} }, { device: { productName: "x" } }])
    assert.throws(() => new place.USBConnectionEvent("connect", init), TypeError);
  const event = new place.USBConnectionEvent("disconnect", { device });
  assert.equal(String(event), "[object USBConnectionEvent]");
  assert.deepEqual([event.bubbles, event.cancelable, event.device === device], [false, false, true]);
  assert.equal(event.constructor.name, "USBConnectionEvent");
  runner.stop();
});

test("what was there before comes back", async () => {
  const { undo, place, runner } = await page();
  undo();
  assert.deepEqual(Object.getOwnPropertyNames(place), []);
  const other = { USBDevice: 5, navigator: { name: "mine" } };
  const second = await page();
  const back = second.rig.installGlobals(other);
  second.runner.stop();
  assert.equal(Reflect.get(other.navigator, "usb"), second.rig.usb);
  back();
  assert.deepEqual(other, { USBDevice: 5, navigator: { name: "mine" } });
  runner.stop();
});

// npm ftdi-js: claim, select configuration 1 again, select an alternate setting. Chromium and npm usb change nothing.
test("a configuration that is selected again keeps claims and transfers, and sends nothing", async () => {
  const { rig, device, runner } = await page();
  await device.open();
  await device.selectConfiguration(1);
  await device.claimInterface(0);
  const sent = () => formatTrace(rig.trace).match(/SET_CONFIGURATION/g)?.length ?? 0;
  const before = sent();
  const reading = device.transferIn(1, 64);
  await device.selectConfiguration(1);
  assert.equal((await reading).status, "ok");
  assert.equal(device.configuration?.interfaces[0].claimed, true);
  assert.equal(sent(), before);
  await assert.rejects(device.selectConfiguration(2), { name: "NotFoundError" });
  runner.stop();
});
