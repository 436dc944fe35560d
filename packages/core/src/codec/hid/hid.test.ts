// The HID class descriptor and requests: golden bytes, cut ones, names in traces.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DecodeError } from "../../base/errors.ts";
import { bytesFromHex, hexBytes } from "../../base/text.ts";
import { walkDescriptors } from "../usb/descriptors.ts";
import { decodeSetup, describeSetup } from "../usb/setup.ts";
import { describeHidRequest, encodeHidDescriptor, findHidDescriptor, parseHidDescriptor } from "./hid.ts";

/** HID 1.11 appendix E.4: a keyboard with a report descriptor of 63 bytes. */
const golden = "09 21 11 01 00 01 22 3f 00";

test("the HID descriptor of appendix E.4, both ways", () => {
  const value = { bcdHID: 0x0111, bCountryCode: 0, descriptors: [{ type: 0x22, length: 63 }] };
  assert.equal(hexBytes(encodeHidDescriptor(value)), golden);
  assert.deepEqual(parseHidDescriptor(bytesFromHex(golden)), value);
  const among = [...walkDescriptors(bytesFromHex(`05 24 00 10 01 ${golden}`))];
  assert.deepEqual(findHidDescriptor(among), value);
  assert.equal(findHidDescriptor([]), null);
});

test("a cut or lying HID descriptor is a DecodeError", () => {
  const bytes = bytesFromHex(golden);
  for (let length = 0; length < bytes.length; length++)
    assert.throws(() => parseHidDescriptor(bytes.subarray(0, length)), DecodeError);
  assert.throws(() => parseHidDescriptor(bytesFromHex("09 21 11 01 00 02 22 3f 00")), DecodeError);
  assert.throws(() => parseHidDescriptor(bytesFromHex("09 22 11 01 00 01 22 3f 00")), DecodeError);
});

test("class requests have their names, other requests none", () => {
  const describe = (setup: string) => describeSetup(decodeSetup(bytesFromHex(setup)), [describeHidRequest]);
  assert.equal(describe("21 0a 00 00 00 00 00 00"), "SET_IDLE report 0 only on change interface 0");
  assert.equal(describe("21 0a 02 7d 01 00 00 00"), "SET_IDLE report 2 every 500 ms interface 1");
  assert.equal(describe("21 0b 00 00 00 00 00 00"), "SET_PROTOCOL boot interface 0");
  assert.equal(describe("a1 03 00 00 00 00 01 00"), "GET_PROTOCOL interface 0");
  assert.equal(describe("21 09 00 02 00 00 01 00"), "SET_REPORT output 0 interface 0");
  assert.equal(describe("a1 01 03 03 00 00 04 00"), "GET_REPORT feature 3 interface 0");
  assert.equal(describe("81 06 00 22 00 00 3f 00"), "GET_DESCRIPTOR HID report 0");
  for (const other of ["a1 09 00 02 00 00 01 00", "21 20 00 00 00 00 07 00", "c0 01 00 00 00 00 01 00"])
    assert.equal(describeHidRequest(decodeSetup(bytesFromHex(other))), null);
});
