// DR04-4: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { plist } from "../../test/samples.ts";
import { vendorIdInDecimal } from "./vendor-id-in-decimal.ts";

test("DR04-4 fires: 0x054c (Sony)", async () => {
  await assertFires(
    vendorIdInDecimal,
    {
      e: plist({
        "com.apple.developer.driverkit": true,
        "com.apple.developer.driverkit.transport.usb": [{ idVendor: 1356 }],
      }),
    },
    /0x054c \(Sony\)/,
    "hint",
  );
});

test("DR04-4 fires: is the string", async () => {
  await assertFires(
    vendorIdInDecimal,
    {
      e: plist({
        "com.apple.developer.driverkit": true,
        "com.apple.developer.driverkit.transport.usb": [{ idVendor: "1356" }],
      }),
    },
    /is the string/,
  );
});

test("DR04-4 is silent on a near miss", async () => {
  await assertSilent(vendorIdInDecimal, {
    e: plist({
      "com.apple.developer.driverkit": true,
      "com.apple.developer.driverkit.transport.usb": [{ idVendor: "*" }],
    }),
  });
});
