// DR20-3: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { dr20x3 } from "./dr20-3.ts";

test("DR20-3 fires", async () => {
  await assertFires(
    dr20x3,
    {
      l: "kernel: DK: AUC-0x1a:UC entitlement check failed, app does not have com.apple.developer.driverkit.communicates-with-drivers entitlement",
    },
    /does not hold com\.apple\.developer\.driverkit\.communicates/,
  );
});

test("DR20-3 fires (2)", async () => {
  await assertFires(
    dr20x3,
    { l: "kernel: DK: AUC-0x1a:UC failed team ID check. client team=AAAAAAAAAA, driver team=BBBBBBBBBB" },
    /different teams/,
  );
});

test("DR20-3 is silent on a near miss", async () => {
  await assertSilent(dr20x3, { l: "kernel: DK: AUC-0x1a:UC entitlements check failed" });
});
