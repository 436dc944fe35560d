// FX-BUSY-TIMEOUT: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { panicOf } from "../../test/samples.ts";
import { serviceBusyAMinute } from "./service-busy-a-minute.ts";

test("FX-BUSY-TIMEOUT fires: The entry pci11c1,5901 was busy for 60 s", async () => {
  await assertFires(
    serviceBusyAMinute,
    { p: panicOf("busy timeout[0], (60s): 'pci11c1,5901' @IOService.cpp:5982") },
    /The entry pci11c1,5901 was busy for 60 s/,
  );
});

test("FX-BUSY-TIMEOUT is silent on a near miss", async () => {
  await assertSilent(serviceBusyAMinute, { p: panicOf("Sleep transition timed out after 180 seconds") });
});
