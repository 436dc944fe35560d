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

const claims = (key: string, value: string): { readonly e: string } => ({
  e: `<?xml version="1.0"?>
<plist version="1.0"><dict><key>com.apple.developer.driverkit</key><true/><key>com.apple.developer.driverkit.${key}</key>${value}</dict></plist>
`,
});

test("FX-ENTITLEMENT fires: a team before a driver's id, and a wildcard in one", async () => {
  const ids = (id: string) => claims("userclient-access", `<array><string>${id}</string></array>`);
  await assertFires(entitlementWrong, ids("ABCDE12345.org.example.pad"), /has no team in front/);
  await assertFires(entitlementWrong, ids("org.example.*"), /has no wildcard/);
});

test("FX-ENTITLEMENT fires: a match by a key that no device has", async () => {
  await assertFires(
    entitlementWrong,
    claims("transport.usb", "<array><dict><key>vendorId</key><integer>5</integer></dict></array>"),
    /vendorId in com\.apple\.developer\.driverkit\.transport\.usb is no key that a device has/,
  );
});

test("FX-ENTITLEMENT fires: the base key is false", async () => {
  await assertFires(
    entitlementWrong,
    {
      e: `<?xml version="1.0"?>
<plist version="1.0"><dict><key>com.apple.developer.driverkit</key><false/></dict></plist>
`,
    },
    /com\.apple\.developer\.driverkit must be true, and is false/,
  );
});

test("FX-ENTITLEMENT is silent: a short word that is another one, not a known one misspelt", async () => {
  for (const key of ["transport.spi", "transport.i2c", "family.video"])
    await assertSilent(entitlementWrong, claims(key, "<true/>"));
});

test("FX-ENTITLEMENT fires: letters wrong, by the length of the words", async () => {
  await assertFires(entitlementWrong, claims("transport.ubs", "<array/>"), /meant is .*\.transport\.usb/);
  await assertFires(
    entitlementWrong,
    claims("family.scsicontroler", "<true/>"),
    /meant is .*\.scsicontroller/,
  );
});
