// DR20-4: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { verdictAfterStart } from "./verdict-after-start.ts";

test("DR20-4 fires: normal order", async () => {
  await assertFires(
    verdictAfterStart,
    { l: "kernel: (x.dext) NewUserClient\nkernel: (x.dext) DK: AUC-0x1:UC entitlements check failed\n" },
    /normal order/,
    "hint",
  );
});

test("DR20-4 is silent on: kernel: (x.dext) NewUserClient", async () => {
  await assertSilent(verdictAfterStart, { l: "kernel: (x.dext) NewUserClient\nkernel: (x.dext) opened\n" });
});
