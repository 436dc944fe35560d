// DR19-4: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { dr19x4 } from "./dr19-4.ts";

test("DR19-4 fires", async () => {
  await assertFires(
    dr19x4,
    {
      kext: "   Protocol:                  Fibre Channel Interface",
      dext: "   Protocol:                  SCSI",
    },
    /selects nothing/,
    "hint",
  );
});

test("DR19-4 is silent on a near miss", async () => {
  await assertSilent(dr19x4, {
    a: "   Protocol:                  SCSI",
    b: "   Protocol:                  USB",
  });
});
