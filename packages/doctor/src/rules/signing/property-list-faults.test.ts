// FX-PLIST: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { propertyListFaults } from "./property-list-faults.ts";

test("FX-PLIST fires: a number as text", async () => {
  await assertFires(
    propertyListFaults,
    {
      i: `<?xml version="1.0"?>
<plist version="1.0"><dict>
<key>CFBundleIdentifier</key><string>org.example.pad</string><key>CFBundlePackageType</key><string>DEXT</string><key>IOKitPersonalities</key><dict><key>Pad</key><dict><key>IOUserClass</key><string>Pad</string><key>IOProviderClass</key><string>IOUSBHostInterface</string><key>idVendor</key><string>0x1209</string></dict></dict>
</dict></plist>
`,
    },
    /idVendor of the personality "Pad" is a string and must be an integer \(4617\)/,
  );
});

test("FX-PLIST fires: a key outside the personality", async () => {
  await assertFires(
    propertyListFaults,
    {
      i: `<?xml version="1.0"?>
<plist version="1.0"><dict>
<key>CFBundleIdentifier</key><string>org.example.pad</string><key>CFBundlePackageType</key><string>DEXT</string><key>IOKitPersonalities</key><dict><key>Pad</key><dict><key>IOUserClass</key><string>Pad</string><key>IOProviderClass</key><string>IOUSBHostInterface</string></dict></dict><key>UserClientProperties</key><dict><key>IOUserClass</key><string>PadUserClient</string></dict>
</dict></plist>
`,
    },
    /UserClientProperties stands at the top of the Info\.plist and must stand inside the personality "Pad"/,
  );
});

test("FX-PLIST fires: a key that nobody reads", async () => {
  await assertFires(
    propertyListFaults,
    {
      i: `<?xml version="1.0"?>
<plist version="1.0"><dict>
<key>CFBundleIdentifier</key><string>org.example.pad</string><key>CFBundlePackageType</key><string>DEXT</string><key>IOKitPersonalities</key><dict><key>Pad</key><dict><key>IOUserClass</key><string>Pad</string><key>IOProviderClass</key><string>IOUSBHostInterface</string><key>idVender</key><integer>4617</integer></dict></dict>
</dict></plist>
`,
    },
    /idVender .* meant is idVendor/,
  );
});

test("FX-PLIST fires: a boolean as text", async () => {
  await assertFires(
    propertyListFaults,
    {
      i: `<?xml version="1.0"?>
<plist version="1.0"><dict>
<key>CFBundleIdentifier</key><string>org.example.pad</string><key>CFBundlePackageType</key><string>DEXT</string><key>IOKitPersonalities</key><dict><key>Pad</key><dict><key>IOUserClass</key><string>Pad</string><key>IOProviderClass</key><string>IOUSBHostInterface</string><key>IOPCITunnelCompatible</key><string>true</string></dict></dict>
</dict></plist>
`,
    },
    /IOPCITunnelCompatible .* must be true or false/,
  );
});

test("FX-PLIST is silent: integers, and a variable of the build", async () => {
  await assertSilent(propertyListFaults, {
    i: `<?xml version="1.0"?>
<plist version="1.0"><dict>
<key>CFBundleIdentifier</key><string>org.example.pad</string><key>CFBundlePackageType</key><string>DEXT</string><key>IOKitPersonalities</key><dict><key>Pad</key><dict><key>IOUserClass</key><string>Pad</string><key>IOProviderClass</key><string>IOUSBHostInterface</string><key>idVendor</key><integer>4617</integer><key>idProduct</key><string>$(PRODUCT)</string></dict></dict>
</dict></plist>
`,
  });
});
