// NT-792031: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { distributionProfileLacksKey } from "./distribution-profile-lacks-key.ts";

test("NT-792031 fires: approved and ticked separately", async () => {
  await assertFires(
    distributionProfileLacksKey,
    {
      q: "TestFlight build: the profile is missing the driverkit.transport.usb entitlement that the portal shows",
    },
    /approved and ticked separately/,
  );
});

test("NT-792031 is silent on: TestFlight build installed; nothing is missing", async () => {
  await assertSilent(distributionProfileLacksKey, { q: "TestFlight build installed; nothing is missing" });
});
