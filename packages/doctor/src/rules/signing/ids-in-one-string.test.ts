// DR12-5: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { plist } from "../../test/samples.ts";
import { accessKey, sampleAppId, sampleProfile } from "../../test/signed-samples.ts";
import { idsInOneString } from "./ids-in-one-string.ts";

test("DR12-5 fires: line break", async () => {
  await assertFires(
    idsInOneString,
    { e: plist({ "com.apple.developer.driverkit.userclient-access": ["org.example.a\norg.example.b"] }) },
    /line break/,
  );
});

test("DR12-5 is silent on a near miss", async () => {
  await assertSilent(idsInOneString, {
    e: plist({ "com.apple.developer.driverkit.userclient-access": ["org.example.a", "org.example.b"] }),
  });
});

test("DR12-5 finds the line break in a profile", async () => {
  const joined = (value: string | string[]) => ({ p: sampleProfile(sampleAppId, { [accessKey]: value }) });
  await assertFires(
    idsInOneString,
    joined("org.example.a\norg.example.b"),
    /profile .* holds several bundle ids of userclient-access in one string/,
  );
  await assertSilent(idsInOneString, joined(["org.example.a", "org.example.b"]));
});
