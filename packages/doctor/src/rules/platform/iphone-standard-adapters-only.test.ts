// DR10-2: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { iphoneStandardAdaptersOnly } from "./iphone-standard-adapters-only.ts";

test("DR10-2 fires: AX88772C is a vendor-specific network chip", async () => {
  await assertFires(
    iphoneStandardAdaptersOnly,
    { q: "AX88772C (0B95:772B) plugged into an iPhone 15: nothing happens" },
    /AX88772C is a vendor-specific network chip/,
  );
});

test("DR10-2 fires: from the registry", async () => {
  await assertFires(
    iphoneStandardAdaptersOnly,
    {
      q: "iPhone15,2",
      i: '+-o Adapter@1  <class IOUSBHostDevice, id 0x100000412, registered, matched, active, busy 0 (0 ms), retain 7>\n  {\n    "idVendor" = 2965\n    "idProduct" = 30507\n  }\n',
    },
    /AX88772B or C is a vendor-specific/,
  );
});

test("DR10-2 is silent on: AX88772C (0B95:772B) on a Mac: nothing happens", async () => {
  await assertSilent(iphoneStandardAdaptersOnly, { q: "AX88772C (0B95:772B) on a Mac: nothing happens" });
});

test("DR10-2 is silent on: 0B95:0001 on iPhone", async () => {
  await assertSilent(iphoneStandardAdaptersOnly, { q: "0B95:0001 on iPhone" });
});
