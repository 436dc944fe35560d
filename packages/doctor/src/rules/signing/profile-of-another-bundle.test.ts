// DR20-5: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { plist } from "../../test/samples.ts";
import { profileOfAnotherBundle } from "./profile-of-another-bundle.ts";

test("DR20-5 fires: is for com.example.a, and the target's bundle id is com.example.b", async () => {
  await assertFires(
    profileOfAnotherBundle,
    {
      "x.log":
        'error: Provisioning profile "Null Driver" has app ID "com.example.a", which does not match the bundle ID "com.example.b".',
    },
    /is for com\.example\.a, and the target's bundle id is com\.example\.b/,
  );
});

test("DR20-5 fires: profile and Info.plist", async () => {
  await assertFires(
    profileOfAnotherBundle,
    {
      p: plist({
        TeamIdentifier: ["ABCDE12345"],
        Entitlements: { "com.apple.application-identifier": "ABCDE12345.com.example.pad.app" },
      }),
      i: plist({ CFBundleIdentifier: "com.example.pad.driver", CFBundlePackageType: "DEXT" }),
    },
    /covers none of them, if it was meant for one of them/,
    "hint",
  );
});

test("DR20-5 fires: the app's profile lies in the driver's bundle", async () => {
  const dext = "Pad.app/Contents/Library/SystemExtensions/com.example.pad.driver.dext";
  await assertFires(
    profileOfAnotherBundle,
    {
      [`${dext}/embedded.provisionprofile`]: plist({
        TeamIdentifier: ["ABCDE12345"],
        Entitlements: { "com.apple.application-identifier": "ABCDE12345.com.example.pad" },
      }),
      [`${dext}/Info.plist`]: plist({
        CFBundleIdentifier: "com.example.pad.driver",
        CFBundlePackageType: "DEXT",
      }),
      "Pad.app/Contents/Info.plist": plist({
        CFBundleIdentifier: "com.example.pad",
        CFBundlePackageType: "APPL",
      }),
    },
    /its bundle is com\.example\.pad\.driver: it does not cover it/,
  );
});

test("DR20-5 is silent on files of two products: their ids share a maker's name alone", async () => {
  await assertSilent(profileOfAnotherBundle, {
    p: plist({
      TeamIdentifier: ["ABCDE12345"],
      Entitlements: { "com.apple.application-identifier": "ABCDE12345.com.example.pad" },
    }),
    i: plist({ CFBundleIdentifier: "com.example.modem", CFBundlePackageType: "DEXT" }),
  });
});

test("DR20-5 is silent on a near miss", async () => {
  await assertSilent(profileOfAnotherBundle, {
    p: plist({
      TeamIdentifier: ["ABCDE12345"],
      Entitlements: { "com.apple.application-identifier": "ABCDE12345.com.example.*" },
    }),
    i: plist({ CFBundleIdentifier: "com.example.b", CFBundlePackageType: "DEXT" }),
  });
});
