// FX-HALTED: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { pipeHalted } from "./pipe-halted.ts";

test("FX-HALTED fires: what halted it is found before it", async () => {
  await assertFires(
    pipeHalted,
    {
      l: `2026-11-20 10:00:00.000000+0100 0x1a2b     Default     0x0                  0      0    kernel: (a.b.dext) rx done 0xe00002ed
2026-11-20 10:00:01.500000+0100 0x1a2b     Default     0x0                  0      0    kernel: (a.b.dext) AsyncIO -> 0xe0005000`,
    },
    /AsyncIO is refused because the pipe is halted.*ClearStall, then submit again.*It began with 0xe00002ed \(kIOReturnNotResponding\) 1\.5 s before/,
  );
});

test("FX-HALTED is silent: a control request", async () => {
  await assertSilent(pipeHalted, { l: "DeviceRequest -> 0xe0005000" });
});
