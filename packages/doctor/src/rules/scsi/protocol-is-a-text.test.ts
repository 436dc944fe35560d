// DR19-4: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { protocolIsAText } from "./protocol-is-a-text.ts";

test("DR19-4 fires: selects nothing", async () => {
  await assertFires(
    protocolIsAText,
    {
      kext: "   Protocol:                  Fibre Channel Interface",
      dext: "   Protocol:                  SCSI",
    },
    /selects nothing/,
    "hint",
  );
});

test("DR19-4 is silent on a near miss", async () => {
  await assertSilent(protocolIsAText, {
    a: "   Protocol:                  SCSI",
    b: "   Protocol:                  USB",
  });
});
