// DR10-1: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { panicOf, plist } from "../../test/samples.ts";
import { noDriversOnIphone } from "./no-drivers-on-iphone.ts";

test("DR10-1 fires: no driver extensions on iPhone", async () => {
  await assertFires(
    noDriversOnIphone,
    { q: "Our AX88772C adapter does not work on iPhone.\nCan DriverKit be used on iPhone, as on iPad?" },
    /no driver extensions on iPhone/,
  );
});

test("DR10-1 fires: a report of an iPhone and a driver's plist", async () => {
  await assertFires(
    noDriversOnIphone,
    {
      q: "Hardware Model:        iPhone15,2\n",
      i: plist({ CFBundleIdentifier: "a.b.c", CFBundlePackageType: "DEXT" }),
    },
    /no driver extensions/,
  );
});

test("DR10-1 is silent on a near miss: a report's own tables", async () => {
  await assertSilent(noDriversOnIphone, {
    p: panicOf("forced reset", { product: "iPhone12,1", otherString: "DriverKit" }),
  });
});

test("DR10-1 is silent on: Our dext works on iPad13,4 with DriverKit.", async () => {
  await assertSilent(noDriversOnIphone, { q: "Our dext works on iPad13,4 with DriverKit." });
});

test("DR10-1 is silent on a near miss (3)", async () => {
  await assertSilent(noDriversOnIphone, { a: "the iPhone app is fine", b: "DriverKit on macOS" });
});

test("DR10-1 is silent on the signing identity of an Xcode project", async () => {
  await assertSilent(noDriversOnIphone, {
    p: '// !$*UTF8*$!\n{\n\tCODE_SIGN_IDENTITY = "iPhone Developer";\n}\n',
    i: plist({ CFBundleIdentifier: "a.b.c", CFBundlePackageType: "DEXT" }),
  });
});

test("DR10-1 is silent on a near miss: a page about both", async () => {
  await assertSilent(noDriversOnIphone, {
    a: "Use an iPhone as a mouse.\n\n\n\nThe Mac's side is a driver of DriverKit.",
  });
});
