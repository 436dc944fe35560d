// FX-INVALID: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { validationFailed } from "./validation-failed.ts";

test("FX-INVALID fires: sysextd calls it invalid", async () => {
  await assertFires(
    validationFailed,
    {
      l: "2026-11-20 10:00:00.000000+0100 0x1a2b     Default     0x0                  0      0    sysextd: uninstalling invalid extension org.example.pad",
    },
    /Validation of the extension org\.example\.pad failed/,
  );
});

test("FX-INVALID is silent: a removal that was asked for", async () => {
  await assertSilent(validationFailed, {
    l: "2026-11-20 10:00:00.000000+0100 0x1a2b     Default     0x0                  0      0    sysextd: finished uninstalling extension org.example.pad",
  });
});
