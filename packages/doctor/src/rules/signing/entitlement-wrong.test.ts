// FX-ENTITLEMENT: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { entitlementWrong } from "./entitlement-wrong.ts";

test("FX-ENTITLEMENT fires: two words swapped", async () => {
  await assertFires(
    entitlementWrong,
    {
      e: `<?xml version="1.0"?>
<plist version="1.0"><dict>
<key>com.apple.developer.driverkit</key><true/><key>com.apple.developer.driverkit.usb.transport</key><array/>
</dict></plist>
`,
    },
    /usb\.transport is no known entitlement; meant is com\.apple\.developer\.driverkit\.transport\.usb/,
  );
});

test("FX-ENTITLEMENT fires: true in place of a list", async () => {
  await assertFires(
    entitlementWrong,
    {
      e: `<?xml version="1.0"?>
<plist version="1.0"><dict>
<key>com.apple.developer.driverkit.transport.usb</key><true/>
</dict></plist>
`,
    },
    /must be an array of dictionaries, and is true/,
  );
});

test("FX-ENTITLEMENT fires: a letter swapped", async () => {
  await assertFires(
    entitlementWrong,
    {
      e: `<?xml version="1.0"?>
<plist version="1.0"><dict>
<key>com.apple.developer.driverkit.family.serail</key><true/>
</dict></plist>
`,
    },
    /meant is com\.apple\.developer\.driverkit\.family\.serial/,
  );
});

test("FX-ENTITLEMENT is silent: the right form, and a key that is not DriverKit's", async () => {
  await assertSilent(entitlementWrong, {
    e: `<?xml version="1.0"?>
<plist version="1.0"><dict>
<key>com.apple.developer.driverkit.transport.usb</key><array><dict><key>idVendor</key><integer>4617</integer></dict></array><key>com.apple.developer.networking.wifi-info</key><true/>
</dict></plist>
`,
  });
});
