// DR09-1: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { twoPersonalitiesOneProvider } from "./two-personalities-one-provider.ts";

test("DR09-1 fires: two personalities", async () => {
  await assertFires(
    twoPersonalitiesOneProvider,
    {
      a: `<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0"><dict>
<key>CFBundleIdentifier</key><string>org.example.updater</string>
<key>IOKitPersonalities</key><dict>
<key>usb2</key><dict>
<key>IOClass</key><string>IOUserSCSIPeripheralDeviceType00</string>
<key>IOProviderClass</key><string>IOSCSILogicalUnitNub</string>
<key>IOUserClass</key><string>Updater</string>
</dict>
<key>usb3</key><dict>
<key>IOClass</key><string>IOUserSCSIPeripheralDeviceType00</string>
<key>IOProviderClass</key><string>IOSCSIHierarchicalLogicalUnit</string>
<key>IOUserClass</key><string>Updater</string>
</dict>
</dict></dict></plist>`,
    },
    /IOSCSIPeripheralDeviceNub does both/,
  );
});

test("DR09-1 fires: one of the two", async () => {
  await assertFires(
    twoPersonalitiesOneProvider,
    {
      a: `<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0"><dict>
<key>CFBundleIdentifier</key><string>org.example.updater</string>
<key>IOKitPersonalities</key><dict>
<key>usb3</key><dict>
<key>IOClass</key><string>IOUserSCSIPeripheralDeviceType00</string>
<key>IOProviderClass</key><string>IOSCSIHierarchicalLogicalUnit</string>
<key>IOUserClass</key><string>Updater</string>
</dict>
</dict></dict></plist>`,
    },
    /other transport is not matched/,
  );
});

test("DR09-1 is silent: the common class", async () => {
  await assertSilent(twoPersonalitiesOneProvider, {
    a: `<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0"><dict>
<key>CFBundleIdentifier</key><string>org.example.updater</string>
<key>IOKitPersonalities</key><dict>
<key>disk</key><dict>
<key>IOClass</key><string>IOUserSCSIPeripheralDeviceType00</string>
<key>IOProviderClass</key><string>IOSCSIPeripheralDeviceNub</string>
<key>IOUserClass</key><string>Updater</string>
</dict>
</dict></dict></plist>`,
  });
});
