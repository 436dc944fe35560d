// DR13-1: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { serialChipIsApples } from "./serial-chip-is-apples.ts";

test("DR13-1 fires: refuses the property IOTTYSuffix of IOUserSerial", async () => {
  await assertFires(
    serialChipIsApples,
    {
      l: "kernel: (Sandbox) Sandbox: App(662) deny(1) iokit-get-properties iokit-class:IOUserSerial property:IOTTYSuffix",
    },
    /refuses the property IOTTYSuffix of IOUserSerial/,
  );
});

test("DR13-1 is silent on: kernel: (Sandbox) Sandbox: App(662) deny(1) iokit-get-properties iokit-class:IOS", async () => {
  await assertSilent(serialChipIsApples, {
    l: "kernel: (Sandbox) Sandbox: App(662) deny(1) iokit-get-properties iokit-class:IOSurfaceRoot property:X",
  });
});
