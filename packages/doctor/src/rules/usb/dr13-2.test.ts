// DR13-2: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { plist } from "../../test/samples.ts";
import { dr13x2 } from "./dr13-2.ts";

test("DR13-2 fires", async () => {
  await assertFires(
    dr13x2,
    {
      e: plist({
        "com.apple.developer.driverkit": true,
        "com.apple.developer.driverkit.transport.usb": [{ idVendor: 1027 }],
      }),
    },
    /FTDI/,
  );
});

test("DR13-2 is silent on a near miss", async () => {
  await assertSilent(dr13x2, {
    e: plist({
      "com.apple.developer.driverkit": true,
      "com.apple.developer.driverkit.transport.usb": [{ idVendor: 403 }],
    }),
  });
});
