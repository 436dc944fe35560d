// USB descriptors and SETUP packets: bytes of the specification's own layout, refusals with an offset.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DecodeError } from "../../base/errors.ts";
import { bytesFromHex } from "../../base/text.ts";
import {
  encodeBos,
  encodeConfiguration,
  encodeDeviceDescriptor,
  encodeLanguages,
  encodeStringDescriptor,
  packetBytes,
  parseBos,
  parseConfiguration,
  parseDeviceDescriptor,
  parseStringDescriptor,
  usb2Extension,
  walkDescriptors,
} from "./descriptors.ts";
import { decodeSetup, describeSetup, encodeSetup, isIn } from "./setup.ts";

/** The FT232R's device descriptor as lsusb shows it on any desk. */
const ft232r = bytesFromHex("12 01 00 02 00 00 00 08 03 04 01 60 00 06 01 02 03 01");
/** A CDC-ACM function: association, communications interface with four functional descriptors, data interface. */
const cdcAcm = bytesFromHex(`
  09 02 4b 00 02 01 00 80 32
  08 0b 00 02 02 02 01 00
  09 04 00 00 01 02 02 01 00
  05 24 00 10 01
  05 24 01 00 01
  04 24 02 02
  05 24 06 00 01
  07 05 83 03 08 00 10
  09 04 01 00 02 0a 00 00 00
  07 05 01 02 40 00 00
  07 05 82 02 40 00 00`);

function refusal(read: () => unknown): DecodeError {
  try {
    read();
  } catch (error) {
    assert.ok(error instanceof DecodeError, String(error));
    return error;
  }
  assert.fail("nothing was refused");
}

test("a device descriptor: every field, and back to the same bytes", () => {
  const device = parseDeviceDescriptor(ft232r);
  assert.deepEqual(device, {
    bcdUSB: 0x0200,
    bDeviceClass: 0,
    bDeviceSubClass: 0,
    bDeviceProtocol: 0,
    bMaxPacketSize0: 8,
    idVendor: 0x0403,
    idProduct: 0x6001,
    bcdDevice: 0x0600,
    iManufacturer: 1,
    iProduct: 2,
    iSerialNumber: 3,
    bNumConfigurations: 1,
  });
  assert.deepEqual(encodeDeviceDescriptor(device), ft232r);
});

test("a configuration: interfaces, endpoints, association, and class descriptors where they belong", () => {
  const { descriptor, interfaces, associations, extra } = parseConfiguration(cdcAcm);
  assert.deepEqual(descriptor, {
    bConfigurationValue: 1,
    iConfiguration: 0,
    bmAttributes: 0x80,
    bMaxPower: 50,
  });
  assert.equal(associations[0].bInterfaceCount, 2);
  assert.deepEqual(extra, []);
  assert.deepEqual(
    interfaces.map(({ number, settings }) => [
      number,
      settings[0].endpoints.map((endpoint) => endpoint.descriptor.bEndpointAddress),
      settings[0].extra.map((raw) => [raw.type, raw.bytes[2], raw.offset]),
    ]),
    [
      [
        0,
        [0x83],
        [
          [0x24, 0, 26],
          [0x24, 1, 31],
          [0x24, 2, 36],
          [0x24, 6, 40],
        ],
      ],
      [1, [0x01, 0x82], []],
    ],
  );
  assert.equal(packetBytes(interfaces[1].settings[0].endpoints[0].descriptor), 64);
});

test("an encoded configuration is what the parser reads, companions and alternates included", () => {
  const bulk = { bmAttributes: 2, wMaxPacketSize: 1024, bInterval: 0 };
  const companion = { bMaxBurst: 15, bmAttributes: 4, wBytesPerInterval: 0 };
  const place = { bInterfaceNumber: 0, bInterfaceClass: 8, bInterfaceSubClass: 6, bInterfaceProtocol: 98 };
  const bytes = encodeConfiguration(
    { bConfigurationValue: 1, iConfiguration: 0, bmAttributes: 0xc0, bMaxPower: 12 },
    [
      { ...place, bInterfaceProtocol: 80, endpoints: [{ ...bulk, bEndpointAddress: 0x81 }] },
      { ...place, bAlternateSetting: 1, endpoints: [{ ...bulk, bEndpointAddress: 0x02, companion }] },
    ],
  );
  const [mass] = parseConfiguration(bytes).interfaces;
  assert.deepEqual(
    mass.settings.map(({ descriptor, endpoints }) => [
      descriptor.bAlternateSetting,
      descriptor.bInterfaceProtocol,
      endpoints[0].companion,
    ]),
    [
      [0, 80, null],
      [1, 98, companion],
    ],
  );
});

test("strings, languages and BOS there and back", () => {
  const text = encodeStringDescriptor("Tür 7 \u{1F511}");
  assert.equal(parseStringDescriptor(text), "Tür 7 \u{1F511}");
  assert.equal(text[0], text.length);
  assert.deepEqual([...encodeLanguages([0x0409, 0x0407])], [6, 3, 9, 4, 7, 4]);
  assert.equal(encodeStringDescriptor("x".repeat(300)).length, 254);
  const capabilities = [
    usb2Extension(true),
    { capabilityType: 3, content: Uint8Array.of(0, 14, 0, 1, 10, 32, 0) },
  ];
  assert.deepEqual(parseBos(encodeBos(capabilities)), capabilities);
});

test("what is wrong with a descriptor is said with the offset of the first bad byte", () => {
  const rows: [string, number, Uint8Array, (bytes: Uint8Array) => unknown][] = [
    ["needs 1 bytes", 0, new Uint8Array(0), parseDeviceDescriptor],
    ["bDescriptorType is 2", 1, bytesFromHex("12 02"), parseDeviceDescriptor],
    ["only 10 bytes came", 10, ft232r.slice(0, 10), parseDeviceDescriptor],
    ["bLength is 9", 0, bytesFromHex("09 01 00 02 00 00 00 08 03"), parseDeviceDescriptor],
    ["wTotalLength is 75 but only 74", 2, cdcAcm.slice(0, 74), parseConfiguration],
    ["bLength 0", 9, patched(9, 0), parseConfiguration],
    ["runs over wTotalLength", 68, patched(68, 200), parseConfiguration],
    ["promises 3 endpoints, 2 follow", 75, patched(56, 3), parseConfiguration],
    ["bNumInterfaces is 3, 2 follow", 4, patched(4, 3), parseConfiguration],
    ["endpoint number 0", 63, patched(63, 0x80), parseConfiguration],
    ["occurs twice", 68, patched(70, 0x01), parseConfiguration],
    ["wMaxPacketSize is 0", 65, patched(65, 0), parseConfiguration],
    ["is odd", 0, bytesFromHex("05 03 41 00 42"), parseStringDescriptor],
    ["capability 0 has bLength 2", 5, bytesFromHex("05 0f 08 00 01 02 10 02"), parseBos],
  ];
  for (const [words, offset, bytes, read] of rows) {
    const error = refusal(() => read(bytes));
    assert.match(error.message, new RegExp(words));
    assert.equal(error.offset, offset, error.message);
  }
  function patched(at: number, value: number): Uint8Array {
    const copy = cdcAcm.slice();
    copy[at] = value;
    return copy;
  }
});

test("the lenient walk gives what is whole and stops, without a word, at what is not", () => {
  const types = (bytes: Uint8Array) => [...walkDescriptors(bytes)].map((raw) => raw.type);
  assert.deepEqual(types(cdcAcm), [2, 11, 4, 0x24, 0x24, 0x24, 0x24, 5, 4, 5, 5]);
  assert.deepEqual(types(cdcAcm.slice(0, 30)), [2, 11, 4]);
  assert.deepEqual(types(Uint8Array.of(0, 0, 0)), []);
});

test("SETUP packets there and back, and their names", () => {
  const rows: [string, string][] = [
    ["80 06 00 01 00 00 12 00", "GET_DESCRIPTOR device 0"],
    ["80 06 02 03 09 04 ff 00", "GET_DESCRIPTOR string 2"],
    ["00 09 01 00 00 00 00 00", "SET_CONFIGURATION 1"],
    ["01 0b 01 00 03 00 00 00", "SET_INTERFACE 3 alternate 1"],
    ["02 01 00 00 81 00 00 00", "CLEAR_FEATURE ENDPOINT_HALT endpoint 0x81"],
    ["c1 fe 00 00 00 00 01 00", "vendor in to interface: request 0xfe value 0x0000 index 0x0000 length 1"],
    ["00 33 00 00 00 00 00 00", "standard out to device: request 0x33 value 0x0000 index 0x0000 length 0"],
  ];
  for (const [text, name] of rows) {
    const bytes = bytesFromHex(text);
    const setup = decodeSetup(bytes);
    assert.equal(describeSetup(setup), name);
    assert.deepEqual(encodeSetup(setup), bytes);
    assert.equal(isIn(setup), bytes[0] >= 0x80);
  }
  assert.equal(refusal(() => decodeSetup(new Uint8Array(7))).offset, 7);
  const named = describeSetup(decodeSetup(bytesFromHex("21 20 00 00 00 00 07 00")), [
    () => null,
    () => "LINE",
  ]);
  assert.equal(named, "LINE");
});
