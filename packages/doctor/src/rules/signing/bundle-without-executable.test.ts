// DR06-4: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { plist } from "../../test/samples.ts";
import { filesOf, sampleApp, sampleDext } from "../../test/signed-samples.ts";
import { bundleWithoutExecutable } from "./bundle-without-executable.ts";

test("DR06-4 fires: has no executable 'org.example.app.driver'", async () => {
  await assertFires(
    bundleWithoutExecutable,
    filesOf(sampleDext({ executable: null })),
    /has no executable "org\.example\.app\.driver"/,
  );
  await assertFires(
    bundleWithoutExecutable,
    filesOf(sampleApp(), sampleDext({ executable: null, profile: null })),
    /its target compiled nothing/,
  );
});

test("DR06-4 is silent when nothing but the Info.plist was given: what is not here is not absent", async () => {
  await assertSilent(bundleWithoutExecutable, filesOf(sampleDext({ executable: null, profile: null })));
});

test("DR06-4 is silent on a near miss", async () => {
  await assertSilent(bundleWithoutExecutable, filesOf(sampleApp(), sampleDext()));
  await assertSilent(bundleWithoutExecutable, {
    i: plist({
      CFBundleIdentifier: "$(PRODUCT_BUNDLE_IDENTIFIER)",
      CFBundleExecutable: "$(EXECUTABLE_NAME)",
      CFBundlePackageType: "DEXT",
    }),
  });
});
