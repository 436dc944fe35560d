// DR19-6: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { plist } from "../../test/samples.ts";
import { controllerPersonalityWrong } from "./controller-personality-wrong.ts";

const list = (more: Readonly<Record<string, string>>) =>
  plist({
    CFBundleIdentifier: "org.example.hba",
    IOKitPersonalities: {
      Hba: {
        IOClass: "IOUserSCSIParallelInterfaceController",
        IOProviderClass: "IOPCIDevice",
        IOUserClass: "ExampleHba",
        CFBundleIdentifierKernel: "com.apple.iokit.IOSCSIParallelFamily",
        ...more,
      },
    },
  });

test("DR19-6 fires: IOClass is IOUserService, it has to be IOUserSCSIParallelInterfaceController", async () => {
  await assertFires(
    controllerPersonalityWrong,
    { i: list({ IOClass: "IOUserService" }) },
    /IOClass is IOUserService, it has to be IOUserSCSIParallelInterfaceController/,
  );
});

test("DR19-6 fires: the kext", async () => {
  await assertFires(
    controllerPersonalityWrong,
    { i: list({ CFBundleIdentifierKernel: "com.apple.kpi.iokit" }) },
    /CFBundleIdentifierKernel is com\.apple\.kpi\.iokit/,
  );
});

test("DR19-6 is silent on a near miss", async () => {
  await assertSilent(controllerPersonalityWrong, { i: list({}) });
});

test("DR19-6 is silent on a near miss: a virtual controller", async () => {
  await assertSilent(controllerPersonalityWrong, { i: list({ IOProviderClass: "IOUserResources" }) });
});
