// driverkit-core.md §11: which key sets match USB nubs, with which score, and the comparison that decided.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { MatchSubject } from "./match-verdict.ts";
import { matchEntitlementValue, matchPersonality, unlistedUsbKeys } from "./matching.ts";
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
    [{ idVendor: 0x1209, bInterfaceProtocol: 1 }, "is no legal key combination"],
    [{ bInterfaceClass: 2, bInterfaceSubClass: 2, bcdDevice: 0x0100 }, "is no legal key combination"],
    [{ bInterfaceNumber: 0, bInterfaceClass: 2, bInterfaceSubClass: 2 }, "is no legal key combination"],
    [
      { idVendor: 0x1209, bInterfaceClass: 2, bInterfaceSubClass: 2 },
      "idVendor + bInterfaceClass + bInterfaceSubClass is legal only when the class is 0xff",
    ],
  ];
  for (const [keys, reason] of rows) {
    const verdict = onInterface(keys);
    assert.equal(verdict.matches, false);
    assert.ok(verdict.reason.includes(reason), verdict.reason);
  }
});

test("class, subclass and protocol may stand beside the ids: they must fit and add nothing", () => {
  // A published network driver: class 255 beside the four keys of an interface.
  const ids = { idVendor: 0x1209, idProduct: 1, bInterfaceNumber: 0, bConfigurationValue: 1 };
  const beside = onInterface({ ...ids, bInterfaceClass: 2 });
  assert.deepEqual([beside.matches, beside.score], [true, 90_000]);
  assert.match(beside.reason, /bInterfaceClass compared, not ranked \(likely\)/);
  assert.equal(onInterface({ ...ids, bcdDevice: 0x0100, bInterfaceProtocol: 1 }).score, 100_000);
  assert.equal(onInterface({ ...ids, bInterfaceClass: 255 }).decidedBy?.key, "bInterfaceClass");
  assert.equal(onDevice({ idVendor: 0x0403, idProduct: 0x6001, bDeviceClass: 0 }).score, 90_000);
  const vendor = { idVendor: 0x1209, bInterfaceSubClass: 3, bInterfaceClass: 255 };
  assert.equal(onInterface(vendor, vendorInterface).score, 70_000);
  assert.equal(onInterface({ ...vendor, bInterfaceProtocol: 4 }, vendorInterface).score, 80_000);
  // Core Media I/O, "Overriding the default USB video class extension": two of the four keys are wildcards.
  const camera = {
    ...ids,
    bConfigurationValue: "*",
    bInterfaceNumber: "*",
    bInterfaceClass: 2,
    bInterfaceSubClass: "*",
    IOProbeScore: 9999,
  };
  assert.deepEqual([onInterface(camera).matches, onInterface(camera).score], [true, 97_999]);
  assert.match(onInterface(camera).reason, /bInterfaceNumber, bConfigurationValue by "\*"/);
});

test("keys of an interface are not looked at on a device, and no keys but those match nothing", () => {
  // A published audio driver asks a device for bConfigurationValue and bInterfaceNumber, too.
  const ids = { idVendor: 0x0403, idProduct: 0x6001 };
  const driver = onDevice({ ...ids, bConfigurationValue: 1, bInterfaceNumber: 0 });
  assert.deepEqual([driver.matches, driver.score], [true, 90_000]);
  assert.match(driver.reason, /bConfigurationValue, bInterfaceNumber not looked at on a device/);
  const none = onDevice({ bInterfaceClass: 3 });
  assert.deepEqual([none.matches, none.decidedBy?.key], [false, "bInterfaceClass"]);
});

test("the linter's sets are the same: what no nub could match is named, whatever stands lawfully beside is not", () => {
  const listed = (provider: string, keys: Properties) =>
    unlistedUsbKeys({ IOProviderClass: provider, ...keys });
  const [device, face] = ["IOUSBHostDevice", "IOUSBHostInterface"];
  const ids = { idVendor: 1, idProduct: 2 };
  const place = { bInterfaceNumber: 0, bConfigurationValue: 1 };
  for (const [provider, keys] of [
    [device, ids],
    [device, { ...ids, ...place }],
    [face, { ...ids, ...place, bInterfaceClass: 255 }],
    [face, { idVendor: 1, bInterfaceClass: 255, bInterfaceSubClass: 1 }],
    [face, { idVendor: 1, bInterfaceSubClass: 1 }],
    [face, {}],
    ["IOPCIDevice", { bInterfaceClass: 1 }],
  ] as const)
    assert.equal(listed(provider, keys), null, JSON.stringify(keys));
  for (const [provider, keys] of [
    [face, ids],
    [face, { ...ids, bInterfaceNumber: 0 }],
    [face, { idVendor: 1, bInterfaceClass: 3, bInterfaceSubClass: 1 }],
    [face, { bInterfaceClass: 255, bInterfaceSubClass: 1 }],
    [face, { idVendor: 1, bInterfaceClass: 255 }],
    [device, { bInterfaceClass: 3, bInterfaceSubClass: 1 }],
  ] as const)
    assert.deepEqual(
      [...(listed(provider, keys) ?? [])].sort(),
      Object.keys(keys).sort(),
      JSON.stringify(keys),
    );
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

test("product masks and arrays: a mask that was needed costs 500, one that was not costs nothing", () => {
  assert.equal(onDevice({ idVendor: 0x0403, idProduct: 0x60ff, idProductMask: 0xff00 }).score, 89_500);
  assert.equal(onDevice({ idVendor: 0x0403, idProduct: 0x6001, idProductMask: 0xff00 }).score, 90_000);
  assert.equal(
    onDevice({ idVendor: 0x0403, idProductArray: [2, 0x6077], idProductMask: 0xff00 }).score,
    89_500,
  );
  assert.match(
    onDevice({ idVendor: 0x0403, idProductArray: [2], idProductMask: 0xff00 }).reason,
    /not in idProductArray under the mask/,
  );
  assert.match(
    onDevice({ idVendor: 0x0403, idProduct: 0x7001, idProductMask: 0xff00 }).reason,
    /under the mask/,
  );
  assert.equal(onDevice({ idVendor: 0x0403, idProductArray: [1, 0x6001] }).score, 90_000);
  assert.match(onDevice({ idVendor: 0x0403, idProductArray: [1, 2] }).reason, /not in idProductArray/);
});

test("a probe score of a whole rank of USB counts as 9000, so it does not jump one", () => {
  const ids = { idVendor: 0x0403, idProduct: 0x6001 };
  const scores = [9999, 10_000, 90_000].map((IOProbeScore) => onDevice({ ...ids, IOProbeScore }).score);
  assert.deepEqual(scores, [99_999, 99_000, 99_000]);
  assert.match(onDevice({ ...ids, IOProbeScore: 90_000 }).reason, /IOProbeScore 9000 \(given 90000\)/);
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
