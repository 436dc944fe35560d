// Descriptors from what people have: bytes, dumps, arrays of a source with lines, lsusb -v.

import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeDescriptors } from "./descriptor-set.ts";
import { readDescriptors } from "./read-descriptors.ts";

/** A device with a Bulk-Only interface that promises three endpoints. */
const own = [18, 1, 0, 2, 0, 0, 0, 64, 9, 18, 1, 0, 0, 1, 0, 0, 0, 1];
const disk = [
  9, 2, 32, 0, 1, 1, 0, 0x80, 50, 9, 4, 0, 0, 3, 8, 6, 0x50, 0, 7, 5, 0x81, 2, 64, 0, 0, 7, 5, 2, 2, 64, 0, 0,
];
const text = (content: string) => readDescriptors(new TextEncoder().encode(content));
const faultsOf = ({ sets }: ReturnType<typeof readDescriptors>) =>
  sets.flatMap((set) => judgeDescriptors(set)).map(({ kind, line, offset }) => [kind, offset, line]);
const hex = (bytes: readonly number[]) => bytes.map((byte) => byte.toString(16).padStart(2, "0"));

test("bytes as sysfs has them: device, then configurations", () => {
  const read = readDescriptors(Uint8Array.from([...own, ...disk, ...disk]));
  assert.deepEqual(
    read.sets[0].given.map(({ role, bytes }) => `${role} ${bytes.length}`),
    ["device 18", "configuration 32", "configuration 32"],
  );
  assert.deepEqual(faultsOf(read), [
    ["endpoint-count", 13, null],
    ["endpoint-count", 13, null],
  ]);
});

test("a hexadecimal dump, plain and by xxd", () => {
  assert.deepEqual(faultsOf(text(hex(disk).join(" "))), [["endpoint-count", 13, 1]]);
  const rows = [0, 16].map(
    (at) =>
      `${at.toString(16).padStart(8, "0")}: ${(
        hex(disk.slice(at, at + 16))
          .join("")
          .match(/.{1,4}/g) ?? []
      ).join(" ")}  ......@.`,
  );
  assert.deepEqual(faultsOf(text(rows.join("\n"))), [["endpoint-count", 13, 1]]);
});

test("arrays of a C source: each fault at its line; what is no number is named, not guessed", () => {
  const source = `
static const uint8_t device[] = { 0x12, 0x01, 0x00, 0x02, /* class */ 0, 0, 0, 64, 0x09, 0x12, 1, 0, 0, 1, 0, 0, 0, 1 };
const uint8_t configuration[] = {
  9, 2, (uint8_t)32, 0, 1, 1, 0, 0x80, 50,
  9, 4, 0, 0,
  3, // endpoints
  8, 6, 0x50, 0,
  7, 5, 0x81, 2, 64, 0, 0,
  7, 5, 0x02, 2, 64, 0, 0,
};
static const uint8_t other[] = { 9, 2, LOBYTE(TOTAL), 0, 1, 1, 0, 0x80, 50, 9, 4, 0, 0 };
int table[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 };
`;
  const read = text(source);
  assert.deepEqual(faultsOf(read), [["endpoint-count", 13, 6]]);
  assert.deepEqual(read.notRead, [{ line: 11, word: "LOBYTE(TOTAL)", count: 13 }]);
});

test("lsusb -v: printed lengths and counts are judged as printed, at the line that prints them", () => {
  const listing = `Bus 001 Device 004: ID 1209:0001 Somebody
Negotiated speed: Full Speed (12Mbps)
Device Descriptor:
  bLength                18
  bDescriptorType         1
  bcdUSB               2.00
  bDeviceClass            0
  bDeviceSubClass         0
  bDeviceProtocol         0
  bMaxPacketSize0        64
  idVendor           0x1209 Somebody
  idProduct          0x0001
  bcdDevice            1.00
  iManufacturer           0
  iProduct                0
  iSerial                 0
  bNumConfigurations      1
  Configuration Descriptor:
    bLength                 9
    bDescriptorType         2
    wTotalLength       0x0022
    bNumInterfaces          1
    bConfigurationValue     1
    iConfiguration          0
    bmAttributes         0x80
      (Bus Powered)
    MaxPower              100mA
    Interface Descriptor:
      bLength                 9
      bDescriptorType         4
      bInterfaceNumber        0
      bAlternateSetting       0
      bNumEndpoints           1
      bInterfaceClass         3 Human Interface Device
      bInterfaceSubClass      0
      bInterfaceProtocol      0
      iInterface              0
        HID Device Descriptor:
          bLength                 9
          bDescriptorType        33
          bcdHID               1.11
          bCountryCode            0 Not supported
          bNumDescriptors         1
          bDescriptorType        34 Report
          wDescriptorLength       0
         Report Descriptors:
           ** UNAVAILABLE **
      Endpoint Descriptor:
        bLength                 7
        bDescriptorType         5
        bEndpointAddress     0x81  EP 1 IN
        bmAttributes            3
          Transfer Type            Interrupt
        wMaxPacketSize     0x0040  1x 64 bytes
        bInterval               0
`;
  const read = text(listing);
  assert.equal(read.sets[0].name, "bus 001 device 004 (1209:0001)");
  assert.deepEqual(faultsOf(read), [
    ["hid-no-report", 25, 45],
    ["interval-out-of-range", 33, 55],
  ]);
});

test("what is none of these has no descriptors: a picture, a log, a table of numbers, nothing", () => {
  for (const content of ["", "hello\n", "{ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }", "0x09, 0x02"])
    assert.deepEqual(text(content).sets, [], content);
  assert.deepEqual(readDescriptors(Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0, 1, 2, 3, 4, 5)).sets, []);
});
