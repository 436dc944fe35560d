// DR07-1: somebody who wants to block with a driver extension, and people who only mention it.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { plist } from "../../test/samples.ts";
import { dr07x1 } from "./dr07-1.ts";

const words =
  "We want to block all USB storage and headsets on our Macs with DriverKit. Which event do we need?\n";
const entitlements = (idVendor: string | number) =>
  plist({
    "com.apple.developer.driverkit": true,
    "com.apple.developer.driverkit.transport.usb": [{ idVendor }],
  });

test("DR07-1 fires", async () => {
  await assertFires(dr07x1, { post: words, dext: entitlements("*") }, /matches every vendor/);
});

test("DR07-1 fires (2)", async () => {
  await assertFires(dr07x1, { post: words, dext: entitlements(0x0781) }, /those on its list, and no others/);
});

test("DR07-1 is silent on a near miss", async () => {
  await assertSilent(dr07x1, { post: "Our USB driver does not attach.\n", dext: entitlements("*") });
});

test("DR07-1 is silent on a near miss (2)", async () => {
  await assertSilent(dr07x1, { post: words });
});
