// FX-OPEN-LATE: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { openedWhileStopping } from "./opened-while-stopping.ts";

test("FX-OPEN-LATE fires: the kernel names driver and provider", async () => {
  await assertFires(
    openedWhileStopping,
    {
      l: "2026-11-20 10:00:00.000000+0100 0x1a2b     Default     0x0                  0      0    kernel: DK: IOUserServer(org.example.pad-0x1a)- PadDriver-0x2b blocked attempt to open IOUSBHostInterface-0x3c",
    },
    /PadDriver tried to open IOUSBHostInterface after its termination had begun/,
  );
});

test("FX-OPEN-LATE is silent: another attempt", async () => {
  await assertSilent(openedWhileStopping, { l: "an attempt to open the port was blocked by the user" });
});
