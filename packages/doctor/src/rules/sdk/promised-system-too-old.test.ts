// DR03-3: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { plist } from "../../test/samples.ts";
import { filesOf, frameworkPath, sampleDext } from "../../test/signed-samples.ts";
import { promisedSystemTooOld } from "./promised-system-too-old.ts";

const binary = (minimumOS: string, isWeak: boolean) =>
  filesOf(
    sampleDext({
      executable: {
        minimumOS,
        sdk: "24.4",
        dylibs: [frameworkPath("SCSIControllerDriverKit")],
        imports: [
          {
            symbol: "__ZN37IOUserSCSIParallelInterfaceController29BundledParallelTaskCompletionEv",
            dylib: 0,
            isWeak,
          },
        ],
      },
    }),
  );
const info = (minimum: string) =>
  plist({
    CFBundleIdentifier: "org.example.raid",
    CFBundlePackageType: "DEXT",
    DTSDKName: "driverkit24.4",
    OSMinimumDriverKitVersion: minimum,
    IOKitPersonalities: { Raid: { IOClass: "IOUserSCSIParallelInterfaceController", IOUserClass: "Raid" } },
  });

test("DR03-3 fires: promises macOS 15 and later, and imports 1 symbols  ... BundledParallelTaskCompletion, mac", async () => {
  await assertFires(
    promisedSystemTooOld,
    binary("24.0", false),
    /promises macOS 15 and later, and imports 1 symbols .*BundledParallelTaskCompletion, macOS 15\.4\).*starts from macOS 15\.4 on/,
  );
  await assertFires(promisedSystemTooOld, { i: info("24.0") }, /lacks 4 methods of that class/);
});

test("DR03-3 is silent on a near miss", async () => {
  await assertSilent(promisedSystemTooOld, binary("24.4", false));
  await assertSilent(promisedSystemTooOld, binary("24.0", true));
  await assertSilent(promisedSystemTooOld, { i: info("24.4") });
});
