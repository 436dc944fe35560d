// USB/IP's two phases byte for byte as Linux's usbip_protocol document lays them out, and lists that lie or end early.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DecodeError } from "../../base/errors.ts";
import {
  decodeBusId,
  decodeDeviceList,
  decodeDeviceRecord,
  decodeOp,
  encodeDeviceList,
  encodeDeviceRecord,
  encodeImportRequest,
  encodeOp,
  newUsbipHeader,
  readUsbipHeader,
  UsbipCommand,
  UsbipErrno,
  UsbipOp,
  UsbipStatus,
  writeUsbipHeader,
} from "./usbip.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const refused = (offset: number, words: RegExp) => (error: unknown) =>
  error instanceof DecodeError && error.offset === offset && words.test(error.message);

const record = {
  path: "/sys/devices/pci0000:00/0000:00:01.2/usb1/1-1",
  busId: "1-1",
  busNumber: 0x01020304,
  deviceNumber: 2,
  speed: 3,
  idVendor: 0x0403,
  idProduct: 0x6001,
  bcdDevice: 0x0600,
  bDeviceClass: 0xff,
  bDeviceSubClass: 0xfe,
  bDeviceProtocol: 0xfd,
  bConfigurationValue: 1,
  bNumConfigurations: 2,
  bNumInterfaces: 3,
};

test("the eight bytes of a management message: version 0x0111, code, status", () => {
  assert.equal(hex(encodeOp(UsbipOp.requestDeviceList)), "0111800500000000");
  assert.equal(hex(encodeOp(UsbipOp.replyImport, UsbipStatus.noDevice)), "0111000300000004");
  assert.deepEqual(decodeOp(encodeOp(0x8003, 0x80000001)), {
    version: 0x0111,
    code: 0x8003,
    status: 0x80000001,
  });
  // 0x0106 was another minor version of the same protocol; 0x0211 would be another one.
  assert.equal(decodeOp(Uint8Array.of(1, 6, 0x80, 5, 0, 0, 0, 0)).version, 0x0106);
  assert.throws(
    () => decodeOp(Uint8Array.of(2, 0x11, 0x80, 5, 0, 0, 0, 0)),
    refused(0, /version 0x211 is not 0x0111/),
  );
  assert.throws(() => decodeOp(new Uint8Array(7)), refused(7, /needs 8 bytes/));
});

test("an import names its device in 32 bytes, the last of them always zero", () => {
  const bytes = encodeImportRequest("3-1.4");
  assert.equal(bytes.length, 40);
  assert.equal(hex(bytes.subarray(0, 16)), "0111800300000000" + "332d312e34000000");
  assert.equal(decodeBusId(bytes.subarray(8)), "3-1.4");
  const long = encodeImportRequest("x".repeat(40));
  assert.equal(long.length, 40);
  assert.equal(long[39], 0);
  assert.equal(decodeBusId(long.subarray(8)), "x".repeat(31));
  // What is behind the first NUL is nobody's; a name that fills its place has none.
  assert.equal(decodeBusId(Uint8Array.of(0x61, 0, 0x62)), "a");
  assert.equal(decodeBusId(new Uint8Array(40).fill(0x61)), "a".repeat(32));
});

test("a device's 312 bytes: path, bus id, three words, three ids, six bytes", () => {
  const bytes = encodeDeviceRecord(record);
  assert.equal(bytes.length, 312);
  assert.equal(Buffer.from(bytes.subarray(0, 45)).toString(), record.path);
  assert.equal(Buffer.from(bytes.subarray(256, 260)).toString(), "1-1\0");
  assert.equal(
    hex(bytes.subarray(288)),
    "01020304" + "00000002" + "00000003" + "0403" + "6001" + "0600" + "fffefd010203",
  );
  assert.deepEqual(decodeDeviceRecord(bytes), record);
  const later = new Uint8Array(320).fill(0xee);
  later.set(bytes, 5);
  assert.deepEqual(decodeDeviceRecord(later, 5), record);
  assert.throws(() => decodeDeviceRecord(bytes.subarray(1)), refused(311, /needs 312 bytes/));
  assert.throws(() => decodeDeviceRecord(later, 9), refused(320, /needs 312 bytes/));
});

const listed = [
  {
    device: { ...record, bNumInterfaces: 2 },
    interfaces: [
      { bInterfaceClass: 2, bInterfaceSubClass: 3, bInterfaceProtocol: 4 },
      { bInterfaceClass: 0x0a, bInterfaceSubClass: 0x0b, bInterfaceProtocol: 0x0c },
    ],
  },
  { device: { ...record, busId: "2-1", bNumInterfaces: 0 }, interfaces: [] },
];

test("a list: count, then each device with four bytes for each of its interfaces", () => {
  const bytes = encodeDeviceList(listed);
  assert.equal(bytes.length, 12 + 312 + 8 + 312);
  assert.equal(hex(bytes.subarray(0, 12)), "0111000500000000" + "00000002");
  assert.equal(hex(bytes.subarray(12 + 312, 12 + 312 + 8)), "020304000a0b0c00");
  assert.deepEqual(decodeDeviceList(bytes), listed);
  assert.deepEqual(decodeDeviceList(encodeDeviceList([])), []);
  // How many there are is said by the list, whatever the record claims.
  const claimed = encodeDeviceList([{ device: record, interfaces: [] }]);
  assert.equal(decodeDeviceList(claimed)?.[0].device.bNumInterfaces, 0);
});

test("a list that has not come whole is waited for at each of its bytes", () => {
  const bytes = encodeDeviceList(listed);
  for (let length = 0; length < bytes.length; length++)
    assert.equal(decodeDeviceList(bytes.subarray(0, length)), null, `${length} bytes`);
});

test("what can never become a list is refused: another code, a status, more devices than a bus has", () => {
  const bytes = encodeDeviceList(listed);
  const changed = (at: number, ...values: number[]): Uint8Array => {
    const copy = bytes.slice();
    copy.set(values, at);
    return copy;
  };
  assert.throws(() => decodeDeviceList(changed(2, 0, 3)), refused(2, /code 0x3 is no device list/));
  assert.throws(() => decodeDeviceList(changed(7, 1)), refused(4, /status 1/));
  assert.throws(() => decodeDeviceList(changed(8, 0, 0, 0x10, 1)), refused(8, /4097 devices/));
  assert.equal(decodeDeviceList(changed(8, 0, 0, 0x10, 0)), null, "4,096 are waited for");
  assert.throws(() => decodeDeviceList(changed(0, 9)), refused(0, /version/));
});

test("a transfer's 48 bytes: ten words and a SETUP packet", () => {
  const header = {
    command: UsbipCommand.submit,
    sequence: 0x80000d05,
    deviceId: 0x0001000f,
    direction: 1,
    endpoint: 2,
    word20: 0x00000200,
    length: 0x01020304,
    startFrame: 0xffffffff,
    isoPackets: 0xfffffffe,
    interval: 4,
  };
  const bytes = new Uint8Array(52).fill(0xee);
  writeUsbipHeader(bytes, 2, header, Uint8Array.of(0x80, 6, 0, 1, 0, 0, 18, 0));
  assert.equal(
    hex(bytes),
    `eeee${"00000001"}${"80000d05"}${"0001000f"}${"00000001"}${"00000002"}${"00000200"}${"01020304"}${"ffffffff"}${"fffffffe"}${"00000004"}${"8006000100001200"}eeee`,
  );
  const into = newUsbipHeader();
  assert.deepEqual(new Set(Object.values(into)), new Set([0]));
  readUsbipHeader(bytes, 2, into);
  assert.deepEqual(into, header);
  writeUsbipHeader(bytes, 2, { ...header, word20: UsbipErrno.pipe }, null);
  assert.equal(hex(bytes.subarray(22, 26)), "ffffffe0", "a status is signed: -EPIPE");
  assert.equal(hex(bytes.subarray(42)), "0000000000000000eeee");
});
