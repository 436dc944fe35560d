// DR12-4: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { plist } from "../../test/samples.ts";
import { accessKeyOnDriver } from "./access-key-on-driver.ts";

test("DR12-4 fires: from the app only", async () => {
  await assertFires(
    accessKeyOnDriver,
    {
      e: plist({
        "com.apple.developer.driverkit": true,
        "com.apple.developer.driverkit.userclient-access": ["org.example.drv"],
      }),
    },
    /from the app only/,
  );
});

test("DR12-4 is silent on a near miss", async () => {
  await assertSilent(accessKeyOnDriver, {
    e: plist({ "com.apple.developer.driverkit.userclient-access": ["org.example.drv"] }),
  });
});
