// DR04-7: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { plist } from "../../test/samples.ts";
import { pciMatchIsHexadecimal } from "./pci-match-is-hexadecimal.ts";

test("DR04-7 fires: read as 0x00004098", async () => {
  await assertFires(
    pciMatchIsHexadecimal,
    {
      e: plist({
        "com.apple.developer.driverkit": true,
        "com.apple.developer.driverkit.transport.pci": [{ IOPCIPrimaryMatch: "4098" }],
      }),
    },
    /read as 0x00004098/,
  );
});

test("DR04-7 is silent on a near miss", async () => {
  await assertSilent(pciMatchIsHexadecimal, {
    e: plist({
      "com.apple.developer.driverkit": true,
      "com.apple.developer.driverkit.transport.pci": [{ IOPCIPrimaryMatch: "0x000010de&0x0000FFFF" }],
    }),
  });
});
