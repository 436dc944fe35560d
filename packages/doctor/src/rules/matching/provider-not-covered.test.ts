// FX-PROVIDER: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { providerNotCovered } from "./provider-not-covered.ts";

test("FX-PROVIDER fires: the transport entitlement of org.example.drv is missing", async () => {
  await assertFires(
    providerNotCovered,
    { l: "kernel: (org.example.drv.dext) DK: ExampleDriver-0x10000ad6a: provider entitlements check failed" },
    /the transport entitlement of org\.example\.drv is missing/,
  );
});

test("FX-PROVIDER fires: a family", async () => {
  await assertFires(
    providerNotCovered,
    { l: "kernel: DK: ExampleDriver-0x1: family entitlements check failed" },
    /may not attach to its family/,
  );
});

test("FX-PROVIDER is silent on: kernel: DK: ExampleUserClient-0x1:UC entitlements check failed", async () => {
  await assertSilent(providerNotCovered, {
    l: "kernel: DK: ExampleUserClient-0x1:UC entitlements check failed",
  });
});
