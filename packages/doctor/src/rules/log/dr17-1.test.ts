// DR17-1: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { dr17x1 } from "./dr17-1.ts";

test("DR17-1 fires", async () => {
  await assertFires(
    dr17x1,
    { l: "Why is the process kernel when this is user space?\nkernel: (org.example.x.dext) hello" },
    /how every driver extension logs/,
  );
});

test("DR17-1 is silent on a near miss", async () => {
  await assertSilent(dr17x1, { l: "Why is the process kernel so busy?\nkernel: (AppleUSB) hello" });
});
