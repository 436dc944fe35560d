// DR12-3: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { plist } from "../../test/samples.ts";
import { dr12x3 } from "./dr12-3.ts";

test("DR12-3 fires", async () => {
  await assertFires(
    dr12x3,
    { e: plist({ "com.apple.developer.driverkit.communicates-with-drivers": true }) },
    /only iPadOS/,
    "hint",
  );
});

test("DR12-3 is silent on a near miss", async () => {
  await assertSilent(dr12x3, {
    e: plist({
      "com.apple.developer.driverkit.communicates-with-drivers": true,
      "com.apple.developer.driverkit.userclient-access": ["org.example.drv"],
    }),
  });
});
