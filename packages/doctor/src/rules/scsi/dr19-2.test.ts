// DR19-2: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { dr19x2 } from "./dr19-2.ts";

test("DR19-2 fires", async () => {
  await assertFires(
    dr19x2,
    { t: "Error: -69825: Wiping volume data to prevent future accidental probing failed" },
    /WRITE\(16\)/,
  );
});

test("DR19-2 is silent on a near miss", async () => {
  await assertSilent(dr19x2, { t: "Error: -69888: Couldn't unmount disk" });
});
