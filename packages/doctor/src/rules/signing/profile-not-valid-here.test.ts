// DR04-6: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { plist } from "../../test/samples.ts";
import { profileNotValidHere } from "./profile-not-valid-here.ts";

const line =
  "2025-10-01 12:00:00.001250+0000 0x3e8      Default     0x0                  88     0    taskgated-helper: (ConfigurationProfiles) [com.apple.ManagedClient:ProvisioningProfiles] org.example.drv: Unsatisfied entitlements: com.apple.developer.driverkit";
const machine = "Provisioning UDID: 00008112-000A1B2C3D4E5F60";
const profile = (more: Parameters<typeof plist>[0], id = "org.example.drv") =>
  plist({
    TeamIdentifier: ["ABCDE12345"],
    Name: "Test",
    Entitlements: { "com.apple.application-identifier": `ABCDE12345.${id}` },
    ...(more as Readonly<Record<string, string>>),
  });

test("DR04-6 fires: another App ID", async () => {
  await assertFires(
    profileNotValidHere,
    { l: line, p: profile({}, "org.example.drv.beta") },
    /does not cover org\.example\.drv/,
  );
});

test("DR04-6 is silent on a profile of another product: nothing ties it to the program", async () => {
  await assertSilent(profileNotValidHere, { l: line, p: profile({}, "org.example.other") });
});

test("DR04-6 fires: expired", async () => {
  await assertFires(
    profileNotValidHere,
    { l: line, p: profile({ ExpirationDate: "2025-09-30T00:00:00Z" }) },
    /expired on 2025-09-30/,
  );
});

test("DR04-6 fires: another Mac", async () => {
  await assertFires(
    profileNotValidHere,
    { l: `${line}\n${machine}`, p: profile({ ProvisionedDevices: ["00008112-00000000000000FF"] }) },
    /this Mac \(00008112-000A1B2C3D4E5F60\) is none of them/,
  );
});

test("DR04-6 is silent on a near miss", async () => {
  await assertSilent(profileNotValidHere, {
    l: `${line}\n${machine}`,
    p: profile({ ExpirationDate: "2026-09-30T00:00:00Z", ProvisionedDevices: ["00008112-000A1B2C3D4E5F60"] }),
  });
});

test("DR04-6 is silent on a near miss: a wildcard covers", async () => {
  await assertSilent(profileNotValidHere, { l: line, p: profile({}, "org.example.*") });
});
