// FX-HID-OPEN: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { hidNotAllowed } from "./hid-not-allowed.ts";

test("FX-HID-OPEN fires: hidapi's words", async () => {
  await assertFires(
    hidNotAllowed,
    {
      l: "hid_open_path: failed to open IOHIDDevice from mach entry: (0xE00002E2) (iokit/common) not permitted",
    },
    /not allowed to open the HID device.*Input Monitoring/,
  );
});

test("FX-HID-OPEN fires: somebody has seized it", async () => {
  await assertFires(hidNotAllowed, { l: "IOHIDDeviceOpen failed 0xe00002c5" }, /has seized it/);
});

test("FX-HID-OPEN is silent: no HID device in sight", async () => {
  await assertSilent(hidNotAllowed, { l: "IOServiceOpen failed 0xe00002e2" });
});
