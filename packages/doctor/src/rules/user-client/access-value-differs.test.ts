// DR20-2: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { accessValueDiffers } from "./access-value-differs.ts";

test("DR20-2 fires: none of its values is org.example.drv.", async () => {
  await assertFires(
    accessValueDiffers,
    {
      a: "2025-10-01 12:00:00.001250+0000 0x3e8      Default     0x0                  0      0    kernel: (org.example.drv.dext) DK: AUC-0x10000ad6a:UC entitlements check failed\n",
    },
    /none of its values is org\.example\.drv\./,
  );
});

test("DR20-2 fires: the registry says what the id belongs to, and what the service calls itself", async () => {
  const registry = [
    "+-o Null@0  <class IOUserService, id 0x10000ad60, registered, matched, active, busy 0 (0 ms), retain 7>",
    "  | {",
    '  |   "CFBundleIdentifier" = "org.example.personality"',
    "  | }",
    "  |",
    "  +-o AUC  <class IOUserUserClient, id 0x10000ad6a, !registered, !matched, active, busy 0 (0 ms), retain 5>",
    "      {",
    "      }",
  ].join("\n");
  await assertFires(
    accessValueDiffers,
    { a: "kernel: (org.example.drv.dext) DK: AUC-0x10000ad6a:UC entitlements check failed\n", r: registry },
    /none of its values is org\.example\.personality\./,
  );
});

test("DR20-2 is silent on: DK: AUC-0x10000ad6a:UC failed userclient-access check, needed bundle ID x", async () => {
  await assertSilent(accessValueDiffers, {
    a: "DK: AUC-0x10000ad6a:UC failed userclient-access check, needed bundle ID x\nDK: AUC-0x10000ad6a:UC entitlements check failed\n",
  });
});
