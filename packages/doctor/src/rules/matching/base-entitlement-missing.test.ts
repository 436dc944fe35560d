// FX-BASE: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { baseEntitlementMissing } from "./base-entitlement-missing.ts";

test("FX-BASE fires: org.example.drv does not hold", async () => {
  await assertFires(
    baseEntitlementMissing,
    { l: "kernel: com.apple.developer.driverkit entitlement check failed for org.example.drv[412]" },
    /org\.example\.drv does not hold/,
  );
});

test("FX-BASE is silent on: kernel: com.apple.developer.driverkit entitlement check passed for org.example.d", async () => {
  await assertSilent(baseEntitlementMissing, {
    l: "kernel: com.apple.developer.driverkit entitlement check passed for org.example.drv[412]",
  });
});
