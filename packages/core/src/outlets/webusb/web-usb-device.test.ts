// USBDevice of the WebUSB face: states, claims, transfers. Behaviours of the public web-platform-tests, in our words.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { USBControlTransferParameters, USBRecipient, USBRequestType } from "../../ports/web-usb.ts";
import { disconnect, page, ready, rejects } from "./test/web-usb-bench.ts";
import { WebUsbInTransferResult, WebUsbOutTransferResult } from "./transfer-results.ts";
import type { WebUsbDevice } from "./web-usb-device.ts";

const vendor = (change: Partial<USBControlTransferParameters> = {}): USBControlTransferParameters => ({
  requestType: "vendor",
  recipient: "device",
  request: 0x42,
  value: 0x1234,
  index: 0x5678,
  ...change,
});

/** Every method that needs a session, once. */
const everything = (device: WebUsbDevice): Promise<unknown>[] => [
  device.selectConfiguration(1),
  device.claimInterface(0),
  device.releaseInterface(0),
  device.selectAlternateInterface(0, 0),
  device.controlTransferIn(vendor(), 7),
  device.controlTransferOut(vendor(), Uint8Array.of(1, 2, 3)),
  device.clearHalt("in", 1),
  device.transferIn(1, 8),
  device.transferOut(2, new ArrayBuffer(8)),
  device.isochronousTransferIn(1, [8]),
  device.isochronousTransferOut(1, new ArrayBuffer(8), [8]),
  device.reset(),
];

/** Attributes are the prototype's, as in browsers: an object has none of its own. */
const membersOf = (object: object, ...names: readonly string[]): unknown[] => {
  for (const name of names) assert.ok(!Object.hasOwn(object, name), name);
  return names.map((name) => Reflect.get(object, name));
};

test("what the descriptors say", async () => {
  const { device } = await page({ serial: "A1" });
  const { usbVersionMajor, usbVersionMinor, usbVersionSubminor } = device;
  assert.deepEqual([usbVersionMajor, usbVersionMinor, usbVersionSubminor], [2, 1, 3]);
  const { deviceVersionMajor, deviceVersionMinor, deviceVersionSubminor } = device;
  assert.deepEqual([deviceVersionMajor, deviceVersionMinor, deviceVersionSubminor], [1, 2, 3]);
  assert.deepEqual([device.deviceClass, device.deviceSubclass, device.deviceProtocol], [7, 1, 2]);
  assert.deepEqual(
    [device.manufacturerName, device.productName, device.serialNumber],
    ["Drydock", "Two modes", "A1"],
  );
  assert.deepEqual(
    device.configurations.map(({ configurationValue, configurationName }) => [
      configurationValue,
      configurationName,
    ]),
    [1, 2, 3].map((value) => [value, "A configuration"]),
  );
  const [bulkIn, bulkOut] = device.configurations[0].interfaces[1].alternates[0].endpoints;
  assert.deepEqual(membersOf(bulkIn, "endpointNumber", "direction", "type", "packetSize"), [
    2,
    "in",
    "bulk",
    512,
  ]);
  assert.equal(bulkOut.direction, "out");
  assert.equal(device.configuration, null);
  assert.equal(Object.prototype.toString.call(device), "[object USBDevice]");
});

test("a session: opened and closed, also several times", async () => {
  const { device } = await page();
  assert.equal(device.opened, false);
  for (let round = 0; round < 3; round++) await device.open();
  assert.equal(device.opened, true);
  for (let round = 0; round < 3; round++) await device.close();
  assert.equal(device.opened, false);
});

test("while open or close is under way, another one is refused", async () => {
  const { device } = await page();
  await Promise.all([
    device.open(),
    rejects(device.open(), "InvalidStateError"),
    rejects(device.close(), "InvalidStateError"),
  ]);
  await Promise.all([
    device.close(),
    rejects(device.open(), "InvalidStateError"),
    rejects(device.close(), "InvalidStateError"),
  ]);
});

test("without a session every method is refused", async () => {
  const { device } = await page();
  for (const promise of everything(device)) await rejects(promise, "InvalidStateError");
});

test("after a disconnection every method says NotFoundError, and the session is over", async () => {
  const all = await ready(1, [0, 1]);
  await disconnect(all);
  assert.equal(all.device.opened, false);
  const { device } = all;
  for (const promise of [device.open(), device.close(), ...everything(device)])
    await rejects(promise, "NotFoundError");
});

test("a transfer under way at the disconnection ends with NotFoundError", async () => {
  const all = await ready(1, [0, 1]);
  all.model.isSilent = true;
  const pending = [all.device.transferIn(2, 8), all.device.transferOut(2, new Uint8Array(8))];
  const ended = Promise.all(pending.map((promise) => rejects(promise, "NotFoundError")));
  await disconnect(all);
  await ended;
});

// What ftdi-js 0.4 does with its reads: without an end of its own, nothing else of the process would ever run.
test("a program that tries again for as long as it is opened stops when the device has left", async () => {
  const all = await ready(1, [0, 1]);
  let tries = 0;
  const names = new Set<string>();
  const reading = (async () => {
    while (all.device.opened && ++tries < 10_000)
      await Promise.all([
        all.device.transferIn(1, 64).catch((error: Error) => names.add(error.name)),
        all.device.transferOut(1, new Uint8Array(64)).catch((error: Error) => names.add(error.name)),
      ]);
  })();
  await disconnect(all);
  await reading;
  assert.ok(tries < 10_000);
  assert.deepEqual([...names], ["NotFoundError"]);
});

test("configurations are selected, again and another; unknown ones are not there", async () => {
  const { device, model } = await page();
  await device.open();
  for (const value of [1, 1, 2]) {
    await device.selectConfiguration(value);
    assert.equal(device.configuration, device.configurations[value - 1]);
    assert.equal(model.configurationValue, value);
  }
  await rejects(device.selectConfiguration(10), "NotFoundError");
  await device.close();
});

test("without a configuration there are no interfaces and endpoints, but the device can be asked", async () => {
  const { device } = await page();
  await device.open();
  for (const promise of [
    device.claimInterface(0),
    device.releaseInterface(0),
    device.selectAlternateInterface(0, 1),
    device.clearHalt("in", 1),
    device.transferIn(1, 8),
    device.transferOut(1, new ArrayBuffer(8)),
    device.isochronousTransferIn(1, [8]),
    device.isochronousTransferOut(1, new ArrayBuffer(8), [8]),
  ])
    await rejects(promise, "InvalidStateError");
  for (const recipient of ["interface", "endpoint"] as const)
    await rejects(device.controlTransferIn(vendor({ recipient, index: 0x81 }), 7), "InvalidStateError");
  for (const requestType of ["class", "vendor"] as const) {
    for (const recipient of ["device", "other"] as const) {
      const { data } = await device.controlTransferIn(vendor({ requestType, recipient }), 8);
      assert.equal(data?.getUint8(1), 0x42);
    }
  }
  await device.reset();
});

test("while the configuration changes everything else is refused", async () => {
  const { device } = await page();
  await device.open();
  const change = device.selectConfiguration(1);
  for (const promise of [device.open(), device.close(), ...everything(device)])
    await rejects(promise, "InvalidStateError");
  await change;
});

test("interfaces are claimed and released, one by one and at once, also twice", async () => {
  const { device } = await ready(1, []);
  const claimed = () => device.configuration?.interfaces.map((entry) => entry.claimed);
  assert.deepEqual(claimed(), [false, false]);
  await device.claimInterface(0);
  await device.claimInterface(0);
  assert.deepEqual(claimed(), [true, false]);
  await device.claimInterface(1);
  await device.releaseInterface(0);
  await device.releaseInterface(0);
  assert.deepEqual(claimed(), [false, true]);
  await Promise.all([device.claimInterface(0), device.releaseInterface(1)]);
  assert.deepEqual(claimed(), [true, false]);
  await device.close();
  assert.deepEqual(claimed(), [false, false]);
  await device.open();
  await rejects(device.claimInterface(2), "NotFoundError");
  await rejects(device.releaseInterface(2), "NotFoundError");
});

test("while a claim changes, that interface and the device wait", async () => {
  const { device } = await ready(1, []);
  const index = { recipient: "interface", index: 0 } as const;
  const change = device.claimInterface(0);
  for (const promise of [
    device.claimInterface(0),
    device.releaseInterface(0),
    device.selectAlternateInterface(0, 0),
    device.controlTransferIn(vendor(index), 0),
    device.controlTransferOut(vendor(index)),
    device.selectConfiguration(1),
    device.reset(),
    device.open(),
    device.close(),
  ])
    await rejects(promise, "InvalidStateError");
  await change;
});

test("alternate settings, also where the numbers have gaps", async () => {
  const { device, model } = await ready(3, [0, 2]);
  const [first] = device.configuration?.interfaces ?? [];
  await device.selectAlternateInterface(2, 0);
  await device.selectAlternateInterface(0, 2);
  assert.equal(first.alternate.alternateSetting, 2);
  await rejects(device.selectAlternateInterface(0, 1), "NotFoundError");
  await rejects(device.selectAlternateInterface(1, 0), "NotFoundError");
  await device.releaseInterface(0);
  assert.equal(first.alternate.alternateSetting, 0);
  await rejects(device.selectAlternateInterface(0, 2), "InvalidStateError");
  assert.equal(model.configurationValue, 3);
});

test("protected interface classes cannot be claimed, others beside them can", async () => {
  for (const firstClass of [0x01, 0x03, 0x08, 0x0b, 0x0e, 0x10, 0xe0]) {
    const { device } = await ready(1, [], { firstClass });
    await rejects(device.claimInterface(0), "SecurityError");
    await device.claimInterface(1);
  }
  const unrestricted = await page({ firstClass: 0x03 }, { isUnrestricted: true });
  await unrestricted.device.open();
  await unrestricted.device.selectConfiguration(1);
  await unrestricted.device.claimInterface(0);
});

test("control transfers of every type and to every recipient put that on the wire", async () => {
  const { device, model } = await ready(1, [0]);
  const types: USBRequestType[] = ["class", "vendor"];
  const recipients: USBRecipient[] = ["device", "interface", "endpoint", "other"];
  for (const [type, requestType] of types.entries()) {
    for (const [number, recipient] of recipients.entries()) {
      const index = recipient === "interface" ? 0x5600 : 0x5681;
      const setup = vendor({ requestType, recipient, index });
      const bits = ((type + 1) << 5) | number;
      const result = await device.controlTransferIn(setup, 8);
      assert.ok(result instanceof WebUsbInTransferResult);
      assert.equal(result.status, "ok");
      const bytes = new Uint8Array(result.data?.buffer as ArrayBuffer);
      assert.deepEqual([...bytes], [0x80 | bits, 0x42, 0x34, 0x12, index & 255, 0x56, 8, 0]);
      for (const data of [Uint8Array.of(1, 2, 3), Uint8Array.of(1, 2, 3).buffer, undefined]) {
        const out = await device.controlTransferOut(setup, data);
        assert.ok(out instanceof WebUsbOutTransferResult);
        assert.deepEqual(membersOf(out, "status", "bytesWritten"), ["ok", data === undefined ? 0 : 3]);
        assert.deepEqual(model.requests.at(-1), [bits, 0x42, 0x1234, index, data === undefined ? 0 : 3]);
      }
    }
  }
  const status = {
    requestType: "standard",
    recipient: "endpoint",
    request: 0,
    value: 0,
    index: 0x81,
  } as const;
  assert.equal((await device.controlTransferIn(status, 2)).data?.getUint16(0), 0);
});

test("requests to interfaces and endpoints need the claim", async () => {
  const { device } = await ready(1, []);
  const toInterface = vendor({ recipient: "interface", index: 0x5600 });
  const toEndpoint = vendor({ recipient: "endpoint", index: 0x5681 });
  await rejects(device.controlTransferIn(toInterface, 7), "InvalidStateError");
  await rejects(device.controlTransferOut(toInterface), "InvalidStateError");
  await rejects(device.controlTransferIn(toEndpoint, 7), "NotFoundError");
  await rejects(device.controlTransferOut(toEndpoint), "NotFoundError");
  await rejects(device.controlTransferIn({ ...toInterface, index: 0x5602 }, 7), "NotFoundError");
  await device.claimInterface(0);
  assert.equal((await device.controlTransferIn(toInterface, 7)).status, "ok");
  assert.equal((await device.controlTransferOut(toEndpoint)).status, "ok");
});

test("words that the standard does not have are TypeErrors", async () => {
  const { device } = await ready(1, [0]);
  const odd = (change: object) => ({ ...vendor(), ...change }) as USBControlTransferParameters;
  for (const change of [{ requestType: "invalid" }, { recipient: "invalid" }, { request: undefined }]) {
    await rejects(device.controlTransferIn(odd(change), 0), "TypeError");
    await rejects(device.controlTransferOut(odd(change)), "TypeError");
  }
  await rejects(device.controlTransferIn(null as unknown as USBControlTransferParameters, 0), "TypeError");
  await rejects(device.controlTransferOut(vendor(), "abc" as unknown as ArrayBuffer), "TypeError");
  await rejects(device.clearHalt("up" as "in", 1), "TypeError");
  assert.throws(() => new WebUsbInTransferResult("invalid" as "ok"), TypeError);
  assert.throws(() => new WebUsbOutTransferResult("invalid" as "ok"), TypeError);
  assert.equal(new WebUsbInTransferResult("stall").data, null);
});

test("a refused request is a result with status stall, not a rejection", async () => {
  const { device } = await ready(1, [0]);
  assert.deepEqual(
    membersOf(await device.controlTransferIn(vendor({ request: 0x99 }), 8), "status", "data"),
    ["stall", null],
  );
  const out = await device.controlTransferOut(vendor({ request: 0x99 }), Uint8Array.of(1));
  assert.equal(out.status, "stall");
});

test("bulk transfers both ways; a detached buffer counts as empty", async () => {
  const { device, model } = await ready(1, [1]);
  const result = await device.transferIn(2, 1024);
  assert.equal(result.status, "ok");
  assert.equal(result.data?.byteLength, 1024);
  assert.equal(result.data?.getUint8(700), 700 & 255);
  const buffer = new ArrayBuffer(512);
  const view = new DataView(buffer, 0, 512);
  assert.deepEqual(membersOf(await device.transferOut(2, view), "status", "bytesWritten"), ["ok", 512]);
  structuredClone(buffer, { transfer: [buffer] });
  assert.equal((await device.transferOut(2, buffer)).bytesWritten, 0);
  assert.equal((await device.controlTransferOut(vendor(), buffer)).bytesWritten, 0);
  assert.equal(model.bytesOut, 512);
  const part = new Uint8Array(100).subarray(10, 30);
  assert.equal((await device.transferOut(2, part)).bytesWritten, 20);
});

test("the data are those of the call, whatever the program does with its buffer after it", async () => {
  const { device, model } = await ready(1, [1]);
  model.isSilent = true;
  const data = new Uint8Array(8).fill(7);
  const promise = device.transferOut(2, data);
  data.fill(0);
  model.isSilent = false;
  assert.equal((await Promise.race([promise, device.controlTransferIn(vendor(), 8)])).status, "ok");
  await device.close();
  await promise.catch(() => {});
});

test("endpoints that are not there: unclaimed, unknown, out of range", async () => {
  const { device } = await ready(1, [0]);
  for (const number of [2, 3]) {
    await rejects(device.transferIn(number, 8), "NotFoundError");
    await rejects(device.transferOut(number, new Uint8Array(8)), "NotFoundError");
    await rejects(device.clearHalt("in", number), "NotFoundError");
  }
  for (const number of [0, 16]) {
    await rejects(device.transferIn(number, 8), "IndexSizeError");
    await rejects(device.transferOut(number, new Uint8Array(8)), "IndexSizeError");
  }
});

test("a halted endpoint stalls until clearHalt", async () => {
  const { device, model } = await ready(1, [1]);
  model.haltBulkIn();
  for (let round = 0; round < 2; round++) assert.equal((await device.transferIn(2, 8)).status, "stall");
  await device.clearHalt("in", 2);
  assert.equal((await device.transferIn(2, 512)).status, "ok");
});

test("transfers larger than 32 MiB are refused", async () => {
  const { device } = await ready(1, [1]);
  const most = 32 * 1024 * 1024;
  await rejects(device.transferIn(2, most + 1), "DataError");
  await rejects(device.transferOut(2, new ArrayBuffer(most + 1)), "DataError");
  await rejects(device.controlTransferOut(vendor(), new ArrayBuffer(most + 1)), "DataError");
});

test("isochronous endpoints: arguments are checked, packets go one by one", async () => {
  const { device } = await ready(2, [0]);
  await device.selectAlternateInterface(0, 1);
  await rejects(device.transferIn(1, 8), "InvalidAccessError");
  await rejects(device.transferIn(1, 33554433), "DataError");
  await rejects(device.isochronousTransferIn(1, [0xffffffff, 1]), "DataError");
  await rejects(device.isochronousTransferOut(1, new Uint8Array(32), [7, 8, 8, 8]), "DataError");
  await rejects(device.isochronousTransferOut(1, new Uint8Array(32), [9, 8, 8, 8]), "DataError");
  await rejects(device.isochronousTransferIn(1, []), "DataError");
  // Longer than the endpoint's 1024 bytes.
  await rejects(device.isochronousTransferIn(1, [1025]), "NetworkError");
  const read = await device.isochronousTransferIn(1, [1024, 1024]);
  assert.equal(read.packets.length, 2);
  assert.deepEqual(
    read.packets.map(({ data, status }) => [status, (data?.byteLength ?? -1) >= 0]),
    [
      ["ok", true],
      ["ok", true],
    ],
  );
  const wrote = await device.isochronousTransferOut(1, new Uint8Array(8), [3, 5]);
  assert.deepEqual(
    wrote.packets.map(({ bytesWritten, status }) => [status, bytesWritten]),
    [
      ["ok", 3],
      ["ok", 5],
    ],
  );
  await device.selectConfiguration(1);
  await device.claimInterface(1);
  await rejects(device.isochronousTransferIn(2, [8]), "InvalidAccessError");
});

for (const [what, act] of [
  ["close", (device) => device.close()],
  ["releaseInterface", (device) => device.releaseInterface(1)],
  ["selectAlternateInterface", (device) => device.selectAlternateInterface(1, 0)],
  ["selectConfiguration", (device) => device.selectConfiguration(2)],
  ["reset", (device) => device.reset()],
] as [string, (device: WebUsbDevice) => Promise<void>][]) {
  test(`${what} ends pending transfers with AbortError`, async () => {
    const { device, model } = await ready(1, [1]);
    model.isSilent = true;
    const ended = rejects(device.transferIn(2, 8), "AbortError");
    await act(device);
    await ended;
  });
}

test("after a reset the same object works on, in the same configuration", async () => {
  const { device, model, rig } = await ready(3, [0]);
  await device.selectAlternateInterface(0, 2);
  let events = 0;
  rig.usb.addEventListener("disconnect", () => events++);
  await device.reset();
  assert.equal(events, 0);
  assert.equal(device.opened, true);
  assert.equal(model.configurationValue, 3);
  assert.equal(device.configuration?.interfaces[0].alternate.alternateSetting, 2);
  assert.equal((await device.controlTransferIn(vendor(), 8)).status, "ok");
  assert.deepEqual(await rig.usb.getDevices(), [device]);
});

test("a device that does not come back from a reset has left", async () => {
  const all = await ready(1, [1]);
  const reset = rejects(all.device.reset(), "NotFoundError");
  const left = new Promise((resolve) => all.rig.usb.addEventListener("disconnect", resolve, { once: true }));
  await Promise.resolve();
  all.unplug();
  await Promise.all([reset, left]);
  await rejects(all.device.open(), "NotFoundError");
});

test("300 transfers at once are queued and end in order; control requests pass them", async () => {
  const { device, model } = await ready(1, [1]);
  model.isSilent = true;
  const order: number[] = [];
  const all = Array.from({ length: 300 }, (_, index) =>
    device.transferIn(2, 8).then(() => order.push(index)),
  );
  assert.equal((await device.controlTransferIn(vendor(), 8)).status, "ok");
  assert.deepEqual(order, []);
  model.isSilent = false;
  await device.clearHalt("in", 2);
  model.haltBulkIn();
  await Promise.all(all);
  assert.deepEqual(
    order,
    [...order].sort((left, right) => left - right),
  );
  assert.equal(order.length, 300);
});
