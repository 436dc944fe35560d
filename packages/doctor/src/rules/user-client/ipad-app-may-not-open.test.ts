// DR20-3: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { ipadAppMayNotOpen } from "./ipad-app-may-not-open.ts";

test("DR20-3 fires: does not hold com.apple.developer.driverkit.communicates", async () => {
  await assertFires(
    ipadAppMayNotOpen,
    {
      l: "kernel: DK: AUC-0x1a:UC entitlement check failed, app does not have com.apple.developer.driverkit.communicates-with-drivers entitlement",
    },
    /does not hold com\.apple\.developer\.driverkit\.communicates/,
  );
});

test("DR20-3 fires: different teams", async () => {
  await assertFires(
    ipadAppMayNotOpen,
    { l: "kernel: DK: AUC-0x1a:UC failed team ID check. client team=AAAAAAAAAA, driver team=BBBBBBBBBB" },
    /different teams/,
  );
});

test("DR20-3 is silent on: kernel: DK: AUC-0x1a:UC entitlements check failed", async () => {
  await assertSilent(ipadAppMayNotOpen, { l: "kernel: DK: AUC-0x1a:UC entitlements check failed" });
});
