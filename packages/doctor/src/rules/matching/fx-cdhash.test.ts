// FX-CDHASH: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { fxxcdhash } from "./fx-cdhash.ts";

test("FX-CDHASH fires", async () => {
  await assertFires(
    fxxcdhash,
    { l: "kernel: DK: IOUserServer(org.example.drv-0x100000a12)::exit(CDHash check failed)" },
    /the kernel still knows another build/,
  );
});

test("FX-CDHASH is silent on a near miss", async () => {
  await assertSilent(fxxcdhash, {
    l: "kernel: DK: IOUserServer(org.example.drv-0x100000a12)::exit(Entitlements check failed)",
  });
});
