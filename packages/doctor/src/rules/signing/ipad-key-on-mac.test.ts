// DR12-3: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { plist } from "../../test/samples.ts";
import { filesOf, installKey, sampleApp, sampleAppId, sampleProfile } from "../../test/signed-samples.ts";
import { ipadKeyOnMac } from "./ipad-key-on-mac.ts";

test("DR12-3 fires: only iPadOS", async () => {
  await assertFires(
    ipadKeyOnMac,
    { e: plist({ "com.apple.developer.driverkit.communicates-with-drivers": true }) },
    /only iPadOS/,
    "hint",
  );
});

test("DR12-3 is silent on a near miss", async () => {
  await assertSilent(ipadKeyOnMac, {
    e: plist({
      "com.apple.developer.driverkit.communicates-with-drivers": true,
      "com.apple.developer.driverkit.userclient-access": ["org.example.drv"],
    }),
  });
});

test("DR12-3 is silent beside a driver that admits everybody: Apple's samples are made for both systems", async () => {
  await assertSilent(ipadKeyOnMac, {
    "App.entitlements": plist({ "com.apple.developer.driverkit.communicates-with-drivers": true }),
    "Driver.entitlements": plist({
      "com.apple.developer.driverkit": true,
      "com.apple.developer.driverkit.allow-any-userclient-access": true,
    }),
  });
});

test("DR12-3 answers when the app's profile is for macOS alone", async () => {
  const claims = { [installKey]: true, "com.apple.developer.driverkit.communicates-with-drivers": true };
  const signed = (platform: "OSX" | "iOS") =>
    filesOf(sampleApp({ entitlements: claims, profile: sampleProfile(sampleAppId, claims, { platform }) }));
  await assertFires(ipadKeyOnMac, signed("OSX"), /org\.example\.app is made for macOS/);
  await assertFires(ipadKeyOnMac, signed("iOS"), /on macOS it does nothing/, "hint");
});
