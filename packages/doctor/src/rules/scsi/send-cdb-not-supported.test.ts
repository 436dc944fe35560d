// DR09-4: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { sendCdbNotSupported } from "./send-cdb-not-supported.ts";

test("DR09-4 fires: the code", async () => {
  await assertFires(sendCdbNotSupported, { a: "UserSendCDB failed with 0xe00002c7" }, /not the family/);
});

test("DR09-4 fires: code and personality", async () => {
  await assertFires(
    sendCdbNotSupported,
    {
      a: `<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0"><dict>
<key>CFBundleIdentifier</key><string>org.example.updater</string>
<key>IOKitPersonalities</key><dict>
<key>disk</key><dict>
<key>IOClass</key><string>IOUserService</string>
<key>IOProviderClass</key><string>IOSCSIPeripheralDeviceNub</string>
<key>IOUserClass</key><string>Updater</string>
</dict>
</dict></dict></plist>`,
      b: "UserSendCDB: 0xe00002c7",
    },
    /has IOClass IOUserService/,
  );
});

test("DR09-4 is silent: another code", async () => {
  await assertSilent(sendCdbNotSupported, { a: "UserSendCDB failed with 0xe00002c1" });
});

test("DR09-4 is silent: the family class", async () => {
  await assertSilent(sendCdbNotSupported, {
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
