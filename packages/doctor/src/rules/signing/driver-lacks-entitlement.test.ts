// FX-NEEDS: what fires it, and near misses.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { driverLacksEntitlement } from "./driver-lacks-entitlement.ts";

const dk = "com.apple.developer.driverkit";
const info = (kernelClass: string, provider: string): string => `<?xml version="1.0"?>
<plist version="1.0"><dict>
<key>CFBundleIdentifier</key><string>org.example.reel</string><key>CFBundlePackageType</key><string>DEXT</string><key>IOKitPersonalities</key><dict><key>Reel</key><dict><key>IOUserClass</key><string>Reel</string><key>IOUserServerName</key><string>org.example.reel</string><key>IOClass</key><string>${kernelClass}</string><key>IOProviderClass</key><string>${provider}</string></dict></dict>
</dict></plist>
`;
const claims = (...keys: string[]): string =>
  `<?xml version="1.0"?>\n<plist version="1.0"><dict>\n${keys.map((key) => `<key>${key}</key><true/>`).join("\n")}\n</dict></plist>\n`;

test("FX-NEEDS fires: the base entitlement is missing", async () => {
  await assertFires(
    driverLacksEntitlement,
    {
      "Info.plist": info("IOUserService", "IOHIDInterface"),
      "Reel.entitlements": claims(`${dk}.transport.hid`),
    },
    /lack com\.apple\.developer\.driverkit: the kernel refuses the server/,
  );
});

test("FX-NEEDS fires: the provider asks for its transport", async () => {
  await assertFires(
    driverLacksEntitlement,
    { "Info.plist": info("IOUserService", "IOUSBHostInterface"), "Reel.entitlements": claims(dk) },
    /lack \S+transport\.usb: the personality "Reel" stands on IOUSBHostInterface/,
  );
});

test("FX-NEEDS fires: the kernel's class asks for its family", async () => {
  await assertFires(
    driverLacksEntitlement,
    { "Info.plist": info("IOUserSerial", "IOUserResources"), "Reel.entitlements": claims(dk) },
    /lack \S+family\.serial: the personality "Reel" is an IOUserSerial/,
  );
});

test("FX-NEEDS is silent: every key is there; another folder's entitlements are another's", async () => {
  await assertSilent(driverLacksEntitlement, {
    "driver/Info.plist": info("AppleUserHIDDevice", "IOUserResources"),
    "driver/Reel.entitlements": claims(dk, `${dk}.family.hid.device`),
    "other/Other.entitlements": claims(dk, `${dk}.transport.hid`),
  });
});

const second = (text: string): string =>
  text.replaceAll("org.example.reel", "org.example.drum").replaceAll("Reel", "Drum");
const named = (text: string, identifier: string): string =>
  text.replace(
    "<dict>",
    `<dict><key>com.apple.application-identifier</key><string>ABCDE12345.${identifier}</string>`,
  );

test("FX-NEEDS is silent: several drivers in one folder, and nothing says whose the entitlements are", async () => {
  await assertSilent(driverLacksEntitlement, {
    "1": info("IOUserSerial", "IOUserResources"),
    "2": second(info("IOUserService", "IOHIDInterface")),
    "3": claims(dk),
  });
});

test("FX-NEEDS fires among several drivers where the entitlements name theirs; another driver's are another's", async () => {
  const folder = {
    "1": info("IOUserSerial", "IOUserResources"),
    "2": second(info("IOUserService", "IOHIDInterface")),
  };
  await assertFires(
    driverLacksEntitlement,
    { ...folder, "3": named(claims(dk), "org.example.drum") },
    /lack \S+transport\.hid: the personality "Drum" stands on IOHIDInterface/,
  );
  await assertSilent(driverLacksEntitlement, { ...folder, "3": named(claims(dk), "org.example.other") });
});
