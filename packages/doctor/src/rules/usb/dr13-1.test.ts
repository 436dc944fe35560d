// DR13-1: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { dr13x1 } from "./dr13-1.ts";

test("DR13-1 fires", async () => {
  await assertFires(
    dr13x1,
    {
      l: "kernel: (Sandbox) Sandbox: App(662) deny(1) iokit-get-properties iokit-class:IOUserSerial property:IOTTYSuffix",
    },
    /refuses the property IOTTYSuffix of IOUserSerial/,
  );
});

test("DR13-1 is silent on a near miss", async () => {
  await assertSilent(dr13x1, {
    l: "kernel: (Sandbox) Sandbox: App(662) deny(1) iokit-get-properties iokit-class:IOSurfaceRoot property:X",
  });
});
