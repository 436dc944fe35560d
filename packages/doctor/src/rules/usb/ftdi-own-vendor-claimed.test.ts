// DR13-2: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { plist } from "../../test/samples.ts";
import { ftdiOwnVendorClaimed } from "./ftdi-own-vendor-claimed.ts";

test("DR13-2 fires: FTDI", async () => {
  await assertFires(
    ftdiOwnVendorClaimed,
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
  await assertSilent(ftdiOwnVendorClaimed, {
    e: plist({
      "com.apple.developer.driverkit": true,
      "com.apple.developer.driverkit.transport.usb": [{ idVendor: 403 }],
    }),
  });
});
