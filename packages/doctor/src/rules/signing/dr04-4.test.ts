// DR04-4: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { plist } from "../../test/samples.ts";
import { dr04x4 } from "./dr04-4.ts";

test("DR04-4 fires", async () => {
  await assertFires(
    dr04x4,
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

test("DR04-4 fires (2)", async () => {
  await assertFires(
    dr04x4,
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
  await assertSilent(dr04x4, {
    e: plist({
      "com.apple.developer.driverkit": true,
      "com.apple.developer.driverkit.transport.usb": [{ idVendor: "*" }],
    }),
  });
});
