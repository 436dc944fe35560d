// FX-BASE: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { fxxbase } from "./fx-base.ts";

test("FX-BASE fires", async () => {
  await assertFires(
    fxxbase,
    { l: "kernel: com.apple.developer.driverkit entitlement check failed for org.example.drv[412]" },
    /org\.example\.drv does not hold/,
  );
});

test("FX-BASE is silent on a near miss", async () => {
  await assertSilent(fxxbase, {
    l: "kernel: com.apple.developer.driverkit entitlement check passed for org.example.drv[412]",
  });
});
