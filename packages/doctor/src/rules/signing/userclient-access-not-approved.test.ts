// DR12-2: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { filesOf, installKey, sampleApp, sampleAppId, sampleProfile } from "../../test/signed-samples.ts";
import { userclientAccessNotApproved } from "./userclient-access-not-approved.ts";

test("DR12-2 fires: must be requested from Apple", async () => {
  await assertFires(
    userclientAccessNotApproved,
    { b: 'error: Provisioning profile "X" doesn\'t include the DriverKit UserClient Access capability.' },
    /must be requested from Apple/,
  );
});

test("DR12-2 fires: must be requested", async () => {
  await assertFires(
    userclientAccessNotApproved,
    {
      b: "error: Entitlement com.apple.developer.driverkit.userclient-access requires approval from Apple to include in a profile.",
    },
    /must be requested/,
  );
});

test("DR12-2 is silent on: error: Provisioning profile 'X' doesn't include signing certificate 'Apple Devel", async () => {
  await assertSilent(userclientAccessNotApproved, {
    b: 'error: Provisioning profile "X" doesn\'t include signing certificate "Apple Development".',
  });
});

test("DR12-2 sees that the app's profile lacks the key", async () => {
  const bare = sampleProfile(sampleAppId, { [installKey]: true });
  await assertFires(
    userclientAccessNotApproved,
    filesOf(sampleApp({ profile: bare })),
    /its profile "org\.example\.app profile" does not have the key/,
  );
  await assertSilent(userclientAccessNotApproved, filesOf(sampleApp()));
});
