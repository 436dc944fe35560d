// DR20-4: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { dr20x4 } from "./dr20-4.ts";

test("DR20-4 fires", async () => {
  await assertFires(
    dr20x4,
    { l: "kernel: (x.dext) NewUserClient\nkernel: (x.dext) DK: AUC-0x1:UC entitlements check failed\n" },
    /normal order/,
    "hint",
  );
});

test("DR20-4 is silent on a near miss", async () => {
  await assertSilent(dr20x4, { l: "kernel: (x.dext) NewUserClient\nkernel: (x.dext) opened\n" });
});
