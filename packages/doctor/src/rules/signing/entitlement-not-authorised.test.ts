// DR04-1: samples that fire it, and near misses that do not.

import assert from "node:assert/strict";
import { test } from "node:test";
import { diagnose } from "../../diagnose.ts";
import { assertFires, assertSilent, sourcesOf } from "../../test/rule-check.ts";
import {
  driverClaims,
  filesOf,
  sampleDext,
  sampleDextId,
  sampleProfile,
  usbKey,
} from "../../test/signed-samples.ts";
import { entitlementNotAuthorised } from "./entitlement-not-authorised.ts";

test("DR04-1 fires: App.Dext claims com.apple.developer.driverkit.transport.usb", async () => {
  await assertFires(
    entitlementNotAuthorised,
    {
      l: "Error 0x0 8397 7 taskgated-helper: (ConfigurationProfiles) [com.apple.ManagedClient:ProvisioningProfiles] App.Dext: Unsatisfied entitlements: com.apple.developer.driverkit.transport.usb",
    },
    /App\.Dext claims com\.apple\.developer\.driverkit\.transport\.usb/,
  );
});

test("DR04-1 is silent on: taskgated-helper: App.Dext: all entitlements satisfied", async () => {
  await assertSilent(entitlementNotAuthorised, {
    l: "taskgated-helper: App.Dext: all entitlements satisfied",
  });
});

const wildcard = sampleProfile(sampleDextId, { ...driverClaims, [usbKey]: [{ idVendor: "*" }] });

test("DR04-1 shows claim and allowlist with their types when signature and profile are there", async () => {
  const log = `taskgated-helper: ${sampleDextId}: Unsatisfied entitlements: ${usbKey}`;
  const sides =
    /claimed \[\{idVendor = 1356 \(number\)\}\], allowed \[\{idVendor = "\*" \(string\)\}\] \(wildcard-differs\)/;
  const files = filesOf(sampleDext({ profile: wildcard }));
  await assertFires(entitlementNotAuthorised, { l: log, ...files }, sides);
  await assertFires(entitlementNotAuthorised, files, sides);
});

test("DR04-1 is silent on a driver whose claims are covered", async () => {
  await assertSilent(entitlementNotAuthorised, filesOf(sampleDext()));
});

test("DR04-1 fires: amfid names a bare tool, which has no place for a profile", async () => {
  const files = {
    l: 'amfid: /usr/local/bin/probe not valid: Error Domain=AppleMobileFileIntegrityError Code=-413 "No matching profile found"',
  };
  await assertFires(
    entitlementNotAuthorised,
    files,
    /AMFI stopped probe because its restricted entitlements/,
  );
  const { answers } = await diagnose(sourcesOf(files), { rules: [entitlementNotAuthorised] });
  assert.match(answers[0].fix[0], /Wrap the tool in an app bundle/);
});
