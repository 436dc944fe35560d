// DR07-1: somebody who wants to block with a driver extension, and people who only mention it.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { plist } from "../../test/samples.ts";
import { dextIsNoPolicy } from "./dext-is-no-policy.ts";

const words =
  "We want to block all USB storage and headsets on our Macs with DriverKit. Which event do we need?\n";
const entitlements = (idVendor: string | number) =>
  plist({
    "com.apple.developer.driverkit": true,
    "com.apple.developer.driverkit.transport.usb": [{ idVendor }],
  });

test("DR07-1 fires: matches every vendor", async () => {
  await assertFires(dextIsNoPolicy, { post: words, dext: entitlements("*") }, /matches every vendor/);
});

test("DR07-1 fires: those on its list, and no others", async () => {
  await assertFires(
    dextIsNoPolicy,
    { post: words, dext: entitlements(0x0781) },
    /those on its list, and no others/,
  );
});

test("DR07-1 is silent on a near miss", async () => {
  await assertSilent(dextIsNoPolicy, { post: "Our USB driver does not attach.\n", dext: entitlements("*") });
});

test("DR07-1 is silent on a near miss (2)", async () => {
  await assertSilent(dextIsNoPolicy, { post: words });
});
