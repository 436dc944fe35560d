// NT-792031: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { ntx792031 } from "./nt-792031.ts";

test("NT-792031 fires", async () => {
  await assertFires(
    ntx792031,
    {
      q: "TestFlight build: the profile is missing the driverkit.transport.usb entitlement that the portal shows",
    },
    /approved and ticked separately/,
  );
});

test("NT-792031 is silent on a near miss", async () => {
  await assertSilent(ntx792031, { q: "TestFlight build installed; nothing is missing" });
});
