// DR12-7: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { plist } from "../../test/samples.ts";
import { driverClaims, filesOf, sampleDext, sampleDextId, sampleProfile } from "../../test/signed-samples.ts";
import { anyProgramMayOpen } from "./any-program-may-open.ts";

test("DR12-7 fires: still admits", async () => {
  await assertFires(
    anyProgramMayOpen,
    {
      e: plist({
        "com.apple.developer.driverkit": true,
        "com.apple.developer.driverkit.allow-any-userclient-access": false,
      }),
    },
    /still admits/,
  );
});

test("DR12-7 is silent on a near miss", async () => {
  await assertSilent(anyProgramMayOpen, { e: plist({ "com.apple.developer.driverkit": true }) });
});

test("DR12-7 answers when the driver is signed for distribution", async () => {
  const open = { ...driverClaims, "com.apple.developer.driverkit.allow-any-userclient-access": true };
  const signed = (devices: "all" | string[]) =>
    filesOf(sampleDext({ entitlements: open, profile: sampleProfile(sampleDextId, open, { devices }) }));
  await assertFires(
    anyProgramMayOpen,
    signed("all"),
    /signed for distribution with allow-any-userclient-access/,
  );
  await assertFires(anyProgramMayOpen, signed(["00008103-000A11112222333A"]), /do not ship it so/, "hint");
});
