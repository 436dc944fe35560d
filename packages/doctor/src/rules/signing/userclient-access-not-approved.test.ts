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

test("DR12-2 is silent on a manual beside the driver's source that shows what another program would claim", async () => {
  const profile = sampleProfile(sampleAppId, { [installKey]: true });
  await assertSilent(userclientAccessNotApproved, {
    "DEVELOPMENT.md": `# Development

## Build

Open the project.

## Install

Activate the driver.

## How to open the driver from a program of your own

Give your program these entitlements:

\`\`\`xml
<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0">
<dict>
    <key>com.apple.developer.driverkit.userclient-access</key>
    <array><string>org.example.app.driver</string></array>
</dict>
</plist>
\`\`\`
`,
    "src/Manager/manager.provisionprofile": profile,
    "src/Driver/Driver.cpp": `kern_return_t IMPL(Driver, Start)
{
    kern_return_t ret = Start(provider, SUPERDISPATCH);
    if (ret != kIOReturnSuccess) return ret;
    return RegisterService();
}
`,
    "src/Driver/Client.cpp": `kern_return_t IMPL(Client, Start)
{
    kern_return_t ret = Start(provider, SUPERDISPATCH);
    if (ret != kIOReturnSuccess) return ret;
    return RegisterService();
}
`,
  });
});
