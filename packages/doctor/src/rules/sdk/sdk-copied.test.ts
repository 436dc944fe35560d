// DR03-2: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { plist } from "../../test/samples.ts";
import { sdkCopied } from "./sdk-copied.ts";

const own = "/Applications/Xcode.app/Contents/Developer/Platforms/DriverKit.platform/Developer/SDKs";

test("DR03-2 fires: takes DriverKit24.0.sdk from /Users/me/sdks", async () => {
  await assertFires(
    sdkCopied,
    { b: "    SDKROOT = /Users/me/sdks/DriverKit24.0.sdk" },
    /takes DriverKit24\.0\.sdk from \/Users\/me\/sdks/,
  );
  await assertFires(
    sdkCopied,
    {
      b: `clang -isysroot ${own}/DriverKit24.0.sdk -c a.cpp\nclang -isysroot ${own}/DriverKit24.4.sdk -c b.cpp`,
    },
    /several DriverKit SDKs \(24\.0, 24\.4\)/,
  );
  await assertFires(
    sdkCopied,
    { i: plist({ CFBundleIdentifier: "org.example.drv", DTSDKName: "driverkit24.0", DTXcode: "1630" }) },
    /built with DriverKit 24\.0 by an Xcode \(1630\) that ships 24\.4/,
  );
});

test("DR03-2 is silent on a near miss", async () => {
  await assertSilent(sdkCopied, {
    b: `SDKROOT = driverkit\nclang -isysroot ${own}/DriverKit24.4.sdk -c a.cpp`,
    i: plist({ CFBundleIdentifier: "org.example.drv", DTSDKName: "driverkit24.4", DTXcode: "1630" }),
  });
});
