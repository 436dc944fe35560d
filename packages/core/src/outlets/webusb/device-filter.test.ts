// Filters and the blocklist of WebUSB, value by value, and isochronous results where packets are missed or damaged.

import assert from "node:assert/strict";
import { test } from "node:test";
import { UsbPacketStatus } from "../../ports/usb-host.ts";
import type { USBDevice } from "../../ports/web-usb.ts";
import { isBlocklisted, matchesFilter, parseBlocklist, problemOfFilter } from "./device-filter.ts";
import { isochronousInResult, isochronousOutResult, WebUsbOutTransferResult } from "./transfer-results.ts";

/** What filters look at: a device of class 0 with a vendor's interface of another setting. */
const deviceOf = (more: Partial<USBDevice> = {}): USBDevice => {
  const setting = (interfaceClass: number, interfaceSubclass: number, interfaceProtocol: number) => ({
    interfaceClass,
    interfaceSubclass,
    interfaceProtocol,
  });
  return {
    vendorId: 0x0403,
    productId: 0x6001,
    serialNumber: "A1",
    deviceClass: 0,
    deviceSubclass: 1,
    deviceProtocol: 2,
    deviceVersionMajor: 1,
    deviceVersionMinor: 2,
    deviceVersionSubminor: 3,
    configurations: [{ interfaces: [{ alternates: [setting(3, 1, 1), setting(0xff, 0x42, 7)] }] }],
    ...more,
  } as unknown as USBDevice;
};

test("a filter's later members need the earlier ones", () => {
  for (const [filter, words] of [
    [{ productId: 1 }, /productId needs vendorId/],
    [{ subclassCode: 0 }, /subclassCode needs classCode/],
    [{ classCode: 3, protocolCode: 0 }, /protocolCode needs subclassCode/],
  ] as const)
    assert.match(problemOfFilter(filter) ?? "", words);
  for (const filter of [
    {},
    { vendorId: 0, productId: 0 },
    { classCode: 0, subclassCode: 0, protocolCode: 0 },
  ])
    assert.equal(problemOfFilter(filter), null);
});

test("each member of a filter is compared; a class may be the device's or any setting's, all three numbers of one", () => {
  const matches = (filter: Parameters<typeof matchesFilter>[1]): boolean => matchesFilter(deviceOf(), filter);
  assert.deepEqual(
    [{}, { vendorId: 0x0403 }, { vendorId: 0x0403, productId: 0x6001 }, { serialNumber: "A1" }].map(matches),
    [true, true, true, true],
  );
  assert.deepEqual(
    [{ vendorId: 0x0404 }, { vendorId: 0x0403, productId: 0x6002 }, { serialNumber: "A2" }].map(matches),
    [false, false, false],
  );
  assert.deepEqual(
    [0, 3, 0xff, 4].map((classCode) => matches({ classCode })),
    [true, true, true, false],
  );
  assert.equal(matches({ classCode: 0xff, subclassCode: 0x42, protocolCode: 7 }), true);
  assert.equal(matches({ classCode: 0xff, subclassCode: 0x42, protocolCode: 8 }), false);
  assert.equal(matches({ classCode: 0xff, subclassCode: 1 }), false, "the subclass of another setting");
  assert.equal(matches({ classCode: 0, subclassCode: 1, protocolCode: 2 }), true);
  assert.equal(matches({ classCode: 0, subclassCode: 2 }), false);
});

test("a blocklist: hexadecimal, a newest release or none, comments; a line with anything else is none", () => {
  assert.deepEqual(parseBlocklist("# head\n0403:6001\n 1050:0010:0123 # old ones\n\n096e"), [
    { idVendor: 0x0403, idProduct: 0x6001, bcdDevice: 0xffff },
    { idVendor: 0x1050, idProduct: 0x0010, bcdDevice: 0x0123 },
  ]);
  for (const line of ["zz:6001", "0403:zz", "0403:6001:zz", "0403:6001:1:2", ":", "0403:"])
    assert.deepEqual(parseBlocklist(line), [], line);
});

test("a release up to the newest that is listed is blocked, the next one is not", () => {
  const list = (bcdDevice: number) => [{ idVendor: 0x0403, idProduct: 0x6001, bcdDevice }];
  assert.deepEqual(
    [0x0122, 0x0123, 0x0124].map((release) => isBlocklisted(deviceOf(), list(release))),
    [false, true, true],
  );
  assert.equal(isBlocklisted(deviceOf({ vendorId: 1 }), list(0xffff)), false);
  assert.equal(isBlocklisted(deviceOf({ productId: 1 }), list(0xffff)), false);
  assert.equal(isBlocklisted(deviceOf(), []), false);
});

test("isochronous results: each packet where its room begins; missed and damaged ones are empty and ok, overflow is babble", () => {
  const packets = {
    lengths: Uint32Array.of(4, 2, 3, 1),
    actualBytes: Uint32Array.of(4, 0, 2, 0),
    statuses: Uint8Array.of(
      UsbPacketStatus.ok,
      UsbPacketStatus.missed,
      UsbPacketStatus.overflow,
      UsbPacketStatus.damaged,
    ),
  } as unknown as Parameters<typeof isochronousInResult>[1];
  const into = isochronousInResult(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10), packets);
  const said = into.packets.map(({ data, status }) => [
    status,
    [...new Uint8Array(data?.buffer as ArrayBuffer, data?.byteOffset, data?.byteLength)],
  ]);
  assert.deepEqual(said, [
    ["ok", [1, 2, 3, 4]],
    ["ok", []],
    ["babble", [7, 8]],
    ["ok", []],
  ]);
  assert.equal(into.data?.byteLength, 10);
  const out = isochronousOutResult(packets).packets.map(({ bytesWritten, status }) => [status, bytesWritten]);
  assert.deepEqual(out, [
    ["ok", 4],
    ["ok", 0],
    ["babble", 2],
    ["ok", 0],
  ]);
});

test("a transfer that wrote nothing wrote 0 bytes; a status that the standard does not have is a TypeError", () => {
  assert.equal(new WebUsbOutTransferResult("stall").bytesWritten, 0);
  assert.throws(
    () => new WebUsbOutTransferResult("lost" as "ok"),
    /TypeError|"lost" is no USBTransferStatus/,
  );
});
