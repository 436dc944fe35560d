// DR12-6: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { plist } from "../../test/samples.ts";
import { accessKey, appClaims, sampleAppId, sampleDextId, sampleProfile } from "../../test/signed-samples.ts";
import { accessNamesAnotherDriver } from "./access-names-another-driver.ts";

const registry = (id: string) =>
  `+-o SampleDriver  <class IOUserService, id 0x100000abc, registered, matched, active, busy 0 (0 ms), retain 8>\n  {\n    "IOUserClass" = "SampleDriver"\n    "CFBundleIdentifier" = "${id}"\n  }\n`;
const approved = (name: string) => sampleProfile(sampleAppId, { ...appClaims, [accessKey]: [name] });

test("DR12-6 fires: names org.example.app.driver in userclient-access, and the driver's CFBundleIdentifier is ", async () => {
  await assertFires(
    accessNamesAnotherDriver,
    { e: plist(appClaims as never), p: approved(sampleDextId), i: registry("org.example.app.driver2") },
    /names org\.example\.app\.driver in userclient-access, and the driver's CFBundleIdentifier is org\.example\.app\.driver2/,
  );
  await assertFires(
    accessNamesAnotherDriver,
    { e: plist(appClaims as never), p: approved(sampleAppId), i: registry(sampleDextId) },
    /^The profile "org\.example\.app profile" names org\.example\.app in/,
  );
});

test("DR12-6 is silent on a near miss", async () => {
  await assertSilent(accessNamesAnotherDriver, {
    e: plist(appClaims as never),
    p: approved(sampleDextId),
    i: registry(sampleDextId) + registry("org.example.other"),
  });
  await assertSilent(accessNamesAnotherDriver, {
    e: plist(appClaims as never),
    i: registry("com.apple.driver.x"),
  });
});
