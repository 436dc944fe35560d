// FX-CDHASH: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { olderBuildKnown } from "./older-build-known.ts";

test("FX-CDHASH fires: the kernel still knows another build", async () => {
  await assertFires(
    olderBuildKnown,
    { l: "kernel: DK: IOUserServer(org.example.drv-0x100000a12)::exit(CDHash check failed)" },
    /the kernel still knows another build/,
  );
});

test("FX-CDHASH is silent on: kernel: DK: IOUserServer(org.example.drv-0x100000a12)::exit(Entitlements check f", async () => {
  await assertSilent(olderBuildKnown, {
    l: "kernel: DK: IOUserServer(org.example.drv-0x100000a12)::exit(Entitlements check failed)",
  });
});
