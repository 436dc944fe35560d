// DR04-3: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { plist } from "../../test/samples.ts";
import { keyNotInProfile } from "./key-not-in-profile.ts";

const usb = "com.apple.developer.driverkit.transport.usb";
const line = `taskgated-helper: (ConfigurationProfiles) [com.apple.ManagedClient:ProvisioningProfiles] org.example.drv: Unsatisfied entitlements: ${usb}`;
const profile = (more: Readonly<Record<string, boolean>>) =>
  plist({
    TeamIdentifier: ["ABCDE12345"],
    Entitlements: { "com.apple.application-identifier": "ABCDE12345.org.example.drv", ...more },
  });

test("DR04-3 fires: does not hold that key at all", async () => {
  await assertFires(keyNotInProfile, { l: line, p: profile({}) }, /does not hold that key at all/);
});

test("DR04-3 is silent on a near miss", async () => {
  await assertSilent(keyNotInProfile, { l: line, p: profile({ [usb]: true }) });
});
