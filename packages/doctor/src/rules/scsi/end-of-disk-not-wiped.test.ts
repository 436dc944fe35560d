// DR19-2: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { endOfDiskNotWiped } from "./end-of-disk-not-wiped.ts";

test("DR19-2 fires: WRITE(16)", async () => {
  await assertFires(
    endOfDiskNotWiped,
    { t: "Error: -69825: Wiping volume data to prevent future accidental probing failed" },
    /WRITE\(16\)/,
  );
});

test("DR19-2 is silent on: Error: -69888: Couldn't unmount disk", async () => {
  await assertSilent(endOfDiskNotWiped, { t: "Error: -69888: Couldn't unmount disk" });
});
