// FX-CRASH-COUNT: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { driverCrashesCounted } from "./driver-crashes-counted.ts";

test("FX-CRASH-COUNT fires: a count above 0", async () => {
  await assertFires(
    driverCrashesCounted,
    {
      l: "2026-11-20 10:00:00.000000+0100 0x1a2b     Default     0x0                  0      0    kernel: Driver org.example.pad has crashed 2 time(s)",
    },
    /org\.example\.pad has crashed 2 times/,
  );
});

test("FX-CRASH-COUNT is silent: 0 is printed at each first launch", async () => {
  await assertSilent(driverCrashesCounted, {
    l: "2026-11-20 10:00:00.000000+0100 0x1a2b     Default     0x0                  0      0    kernel: Driver org.example.pad has crashed 0 time(s)",
  });
});
