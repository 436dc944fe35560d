// FX-PROVIDER: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { fxxprovider } from "./fx-provider.ts";

test("FX-PROVIDER fires", async () => {
  await assertFires(
    fxxprovider,
    { l: "kernel: (org.example.drv.dext) DK: ExampleDriver-0x10000ad6a: provider entitlements check failed" },
    /the transport entitlement of org\.example\.drv is missing/,
  );
});

test("FX-PROVIDER fires: a family", async () => {
  await assertFires(
    fxxprovider,
    { l: "kernel: DK: ExampleDriver-0x1: family entitlements check failed" },
    /may not attach to its family/,
  );
});

test("FX-PROVIDER is silent on a near miss", async () => {
  await assertSilent(fxxprovider, { l: "kernel: DK: ExampleUserClient-0x1:UC entitlements check failed" });
});
