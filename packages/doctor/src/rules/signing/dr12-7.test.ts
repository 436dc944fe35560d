// DR12-7: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { plist } from "../../test/samples.ts";
import { dr12x7 } from "./dr12-7.ts";

test("DR12-7 fires", async () => {
  await assertFires(
    dr12x7,
    {
      e: plist({
        "com.apple.developer.driverkit": true,
        "com.apple.developer.driverkit.allow-any-userclient-access": false,
      }),
    },
    /still admits/,
  );
});

test("DR12-7 is silent on a near miss", async () => {
  await assertSilent(dr12x7, { e: plist({ "com.apple.developer.driverkit": true }) });
});
