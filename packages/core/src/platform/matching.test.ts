// driverkit-core.md §11: which key sets match USB nubs, with which score, and the comparison that decided.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { MatchSubject } from "./match-verdict.ts";
import { matchEntitlementValue, matchPersonality } from "./matching.ts";
import type { Properties } from "./properties.ts";

const deviceProperties = {
  idVendor: 0x0403,
  idProduct: 0x6001,
  bcdDevice: 0x0600,
  bDeviceClass: 0,
  bDeviceSubClass: 0,
  bDeviceProtocol: 0,
};
const device: MatchSubject = {
  classChain: ["IOUSBHostDevice", "IOService"],
  name: "FT232R",
  properties: deviceProperties,
};
const plainInterface: MatchSubject = {
  classChain: ["IOUSBHostInterface", "IOService"],
  name: "IOUSBHostInterface",
  properties: {
    idVendor: 0x1209,
    idProduct: 0x0001,
    bcdDevice: 0x0100,
    bConfigurationValue: 1,
    bInterfaceNumber: 0,
    bInterfaceClass: 2,
    bInterfaceSubClass: 2,
    bInterfaceProtocol: 1,
  },
};
const vendorInterface: MatchSubject = {
  ...plainInterface,
  properties: {
    ...plainInterface.properties,
    bInterfaceClass: 0xff,
    bInterfaceSubClass: 3,
    bInterfaceProtocol: 4,
  },
};
const onDevice = (keys: Properties) =>
  matchPersonality({ IOProviderClass: "IOUSBHostDevice", ...keys }, device);
const onInterface = (keys: Properties, subject = plainInterface) =>
  matchPersonality({ IOProviderClass: "IOUSBHostInterface", ...keys }, subject);

test("the legal key sets of a device and of an interface, each with its score", () => {
  const ids = { idVendor: 0x1209, idProduct: 1 };
  const place = { bInterfaceNumber: 0, bConfigurationValue: 1 };
  const vendor = { idVendor: 0x1209, bInterfaceSubClass: 3 };
  const rows: [number, { score: number; matches: boolean }][] = [
    [100_000, onDevice({ idVendor: 0x0403, idProduct: 0x6001, bcdDevice: 0x0600 })],
    [90_000, onDevice({ idVendor: 0x0403, idProduct: 0x6001 })],
    [60_000, onDevice({ bDeviceClass: 0, bDeviceSubClass: 0, bDeviceProtocol: 0 })],
    [50_000, onDevice({ bDeviceClass: 0, bDeviceSubClass: 0 })],
    [100_000, onInterface({ ...ids, ...place, bcdDevice: 0x0100 })],
    [90_000, onInterface({ ...ids, ...place })],
    [80_000, onInterface({ ...vendor, bInterfaceProtocol: 4 }, vendorInterface)],
    [70_000, onInterface(vendor, vendorInterface)],
    [60_000, onInterface({ bInterfaceClass: 2, bInterfaceSubClass: 2, bInterfaceProtocol: 1 })],
    [50_000, onInterface({ bInterfaceClass: 2, bInterfaceSubClass: 2 })],
  ];
  for (const [score, verdict] of rows) assert.deepEqual([verdict.matches, verdict.score], [true, score]);
});

test("an illegal key set matches nothing, and the reason names the set", () => {
  const rows: [Properties, string][] = [
    [{ idVendor: 0x1209 }, "idVendor is no legal key combination for an IOUSBHostInterface"],
    [{ idVendor: 0x1209, idProduct: 1 }, "idVendor + idProduct is no legal key combination"],
    [{ bInterfaceClass: 2 }, "bInterfaceClass is no legal key combination"],
    [{ idVendor: 0x1209, bInterfaceClass: 2, bInterfaceSubClass: 2 }, "is no legal key combination"],
  ];
  for (const [keys, reason] of rows) {
    const verdict = onInterface(keys);
    assert.equal(verdict.matches, false);
    assert.ok(verdict.reason.includes(reason), verdict.reason);
  }
});

test("class keys are for classes, vendor keys for class 0xff", () => {
  assert.match(
    onInterface({ idVendor: 0x1209, bInterfaceSubClass: 2 }).reason,
    /is legal only when the class is 0xff/,
  );
  assert.match(
    onInterface({ bInterfaceClass: 0xff, bInterfaceSubClass: 3 }, vendorInterface).reason,
    /is legal only when the class is not 0xff/,
  );
});

test("the comparison that decided: key, wanted, found, and a difference of type is said", () => {
  const wrong = onDevice({ idVendor: 0x0403, idProduct: 0x6010 });
  assert.deepEqual(wrong.decidedBy, { key: "idProduct", wanted: 0x6010, found: 0x6001 });
  assert.equal(wrong.reason, "idProduct is 24577 (0x6001), wanted 24592 (0x6010)");
  const text = onDevice({ idVendor: "1027", idProduct: 0x6001 });
  assert.match(text.reason, /a string never equals a number/);
  const absent = matchPersonality(
    { IOProviderClass: "IOUSBHostDevice", idVendor: 1, idProduct: 1 },
    { ...device, properties: {} },
  );
  assert.match(absent.reason, /idVendor is nothing, wanted 1/);
});

test("product masks and arrays", () => {
  assert.equal(onDevice({ idVendor: 0x0403, idProduct: 0x60ff, idProductMask: 0xff00 }).score, 90_000);
  assert.match(
    onDevice({ idVendor: 0x0403, idProduct: 0x7001, idProductMask: 0xff00 }).reason,
    /under the mask/,
  );
  assert.equal(onDevice({ idVendor: 0x0403, idProductArray: [1, 0x6001] }).score, 90_000);
  assert.match(onDevice({ idVendor: 0x0403, idProductArray: [1, 2] }).reason, /not in idProductArray/);
});

test("IOProbeScore is added; provider class comes first; generic keys are AND-ed", () => {
  assert.equal(onDevice({ idVendor: 0x0403, idProduct: 0x6001, IOProbeScore: 7 }).score, 90_007);
  assert.deepEqual(matchPersonality({ IOProviderClass: "IOPCIDevice" }, device).decidedBy, {
    key: "IOProviderClass",
    wanted: "IOPCIDevice",
    found: "IOUSBHostDevice",
  });
  assert.equal(matchPersonality({ IOProviderClass: "IOService" }, device).matches, true);
  const ids = { idVendor: 0x0403, idProduct: 0x6001 };
  const rows: [Properties, boolean][] = [
    [{ IOPropertyMatch: { idVendor: 0x0403 } }, true],
    [{ IOPropertyMatch: { idVendor: 0x0403, absent: 1 } }, false],
    [{ IOPropertyMatch: [{ absent: 1 }, { idProduct: 0x6001 }] }, true],
    [{ IOPropertyExistsMatch: "bcdDevice" }, true],
    [{ IOPropertyExistsMatch: ["absent"] }, false],
    [{ IONameMatch: ["other", "FT232R"] }, true],
    [{ IONameMatch: "other" }, false],
    [{ IOPropertyExistsMatch: "bcdDevice", IONameMatch: "other" }, false],
  ];
  for (const [keys, expected] of rows)
    assert.equal(onDevice({ ...ids, ...keys }).matches, expected, JSON.stringify(keys));
});

test("an entitlement's value: any dictionary is enough, any combination of keys, * fits", () => {
  const judge = (value: Parameters<typeof matchEntitlementValue>[0]) => matchEntitlementValue(value, device);
  assert.equal(judge([{ idVendor: 1 }, { idVendor: 0x0403 }]).matches, true);
  assert.equal(judge([{ idVendor: "*" }]).matches, true);
  assert.match(judge([{ idVendor: 1 }]).reason, /idVendor is 1027/);
  assert.match(judge([]).reason, /empty/);
  assert.match(judge(["0403"]).reason, /not a dictionary/);
  assert.match(judge({ idVendor: 0x0403 }).reason, /not an array/);
});

test("HID keys: every given key must fit, usage pairs by one of them, and the refusal names the key", () => {
  const subject = {
    classChain: ["IOHIDInterface", "IOService"],
    name: "IOHIDInterface",
    properties: {
      VendorID: 0x1209,
      ProductID: 4,
      Transport: "USB",
      PrimaryUsagePage: 1,
      PrimaryUsage: 5,
      DeviceUsagePairs: [
        { DeviceUsagePage: 1, DeviceUsage: 5 },
        { DeviceUsagePage: 12, DeviceUsage: 1 },
      ],
    },
  };
  const judge = (table: Properties) =>
    matchPersonality({ IOProviderClass: "IOHIDInterface", ...table }, subject);
  const exact = judge({ VendorID: 0x1209, ProductID: 4 });
  const pair = judge({
    DeviceUsagePairs: [
      { DeviceUsagePage: 1, DeviceUsage: 6 },
      { DeviceUsagePage: 12, DeviceUsage: 1 },
    ],
  });
  assert.ok(exact.matches && pair.matches && exact.score > pair.score);
  assert.ok(judge({ DeviceUsagePage: 12, DeviceUsage: 1 }).matches);
  // Each half exists, but in different pairs.
  assert.equal(judge({ DeviceUsagePage: 1, DeviceUsage: 1 }).matches, false);
  assert.equal(judge({ VendorID: 0x1209, ProductID: 5 }).decidedBy?.key, "ProductID");
  assert.equal(judge({ VendorID: "0x1209" }).matches, false);
  assert.equal(
    judge({ DeviceUsagePairs: [{ DeviceUsagePage: 1, DeviceUsage: 2 }] }).decidedBy?.key,
    "DeviceUsagePairs",
  );
  assert.equal(judge({}).score, 0);
});
