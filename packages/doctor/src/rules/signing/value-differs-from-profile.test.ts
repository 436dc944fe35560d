// DR12-1: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import {
  accessKey,
  appClaims,
  filesOf,
  sampleApp,
  sampleAppId,
  sampleProfile,
} from "../../test/signed-samples.ts";
import { valueDiffersFromProfile } from "./value-differs-from-profile.ts";

test("DR12-1 fires: another value", async () => {
  await assertFires(
    valueDiffersFromProfile,
    {
      b: "error: Provisioning profile \"X\" doesn't match the entitlements file's value for the com.apple.developer.driverkit.userclient-access entitlement.",
    },
    /another value/,
  );
});

test("DR12-1 is silent on: error: The bundle identifier doesn't match the profile.", async () => {
  await assertSilent(valueDiffersFromProfile, {
    b: "error: The bundle identifier doesn't match the profile.",
  });
});

test("DR12-1 compares an app with its profile, element by element", async () => {
  const other = sampleProfile(sampleAppId, { ...appClaims, [accessKey]: [sampleAppId] });
  await assertFires(
    valueDiffersFromProfile,
    filesOf(sampleApp({ profile: other })),
    /another value: claimed \["org\.example\.app\.driver" \(string\)\], allowed \["org\.example\.app" \(string\)\]/,
  );
  await assertSilent(valueDiffersFromProfile, filesOf(sampleApp()));
});
