// The matrix of devices and systems: every cell is filled, and a phrase finds its row by the longest word of it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { deviceSupport, deviceSupportOf, supportSystems } from "./device-support.ts";

test("each kind once for a day, with a source; what is said about a system is never empty", () => {
  const seen = new Set<string>();
  for (const { asOf, kind, on, source, words } of deviceSupport) {
    assert.ok(!seen.has(`${kind} ${asOf}`), kind);
    seen.add(`${kind} ${asOf}`);
    assert.match(asOf, /^20\d\d-\d\d-\d\d$/);
    assert.ok(source !== "" && words.every((word) => word === word.toLowerCase()));
    for (const system of supportSystems) {
      const { mark, route, through } = on[system];
      assert.ok(through !== "", `${kind} ${system}`);
      assert.equal(route === "unknown", mark === "unknown", `${kind} ${system}: what is unknown says so`);
    }
  }
});

test("iPhone has no driver extensions: no row says otherwise (DTS answer in thread 802640)", () => {
  for (const { kind, on } of deviceSupport)
    for (const system of ["iphone", "ipad-a"] as const) assert.notEqual(on[system].route, "dext", kind);
});

test("a phrase finds its row", () => {
  for (const [phrase, kind] of [
    ["CDC-NCM", "ncm"],
    ["does an FTDI cable work on iPhone?", "usb-serial"],
    ["IOServiceOpen on iPad", "iokit"],
    ["raw HID reports", "hid-raw"],
    ["USB audio", "usb-audio"],
    ["MFi accessory", "mfi"],
  ])
    assert.equal(deviceSupportOf(phrase)?.kind, kind, phrase);
  for (const phrase of ["", "eczema", "the mid of it", "acme"])
    assert.equal(deviceSupportOf(phrase), null, phrase);
});
