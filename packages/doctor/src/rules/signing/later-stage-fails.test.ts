// FX-STAGE: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import {
  accessKey,
  appClaims,
  driverClaims,
  filesOf,
  installKey,
  sampleApp,
  sampleAppId,
  sampleDext,
  sampleDextId,
  sampleProfile,
} from "../../test/signed-samples.ts";
import { laterStageFails } from "./later-stage-fails.ts";

test("FX-STAGE fires for each later stage", async () => {
  const without = { [installKey]: true };
  await assertFires(
    laterStageFails,
    filesOf(sampleApp({ entitlements: without, profile: sampleProfile(sampleAppId, without) }), sampleDext()),
    /org\.example\.app may not open the driver: the app carries no .*userclient-access key at all/,
  );
  const onlyAccess = { [accessKey]: [sampleDextId] };
  await assertFires(
    laterStageFails,
    filesOf(sampleApp({ entitlements: onlyAccess }), sampleDext()),
    /is not activated: the app does not hold com\.apple\.developer\.system-extension\.install/,
  );
  const device = `+-o IOUSBHostInterface@0  <class IOUSBHostInterface, id 0x1, registered, matched, active, busy 0 (0 ms), retain 7>
  {
    "idVendor" = 1356
    "idProduct" = 2
    "bInterfaceNumber" = 0
    "bConfigurationValue" = 1
    "IOServiceDEXTEntitlements" = (("com.apple.developer.driverkit.transport.usb"))
  }
`;
  const wrong = { ...driverClaims, "com.apple.developer.driverkit.transport.usb": [{ idVendor: 1027 }] };
  const dext = sampleDext({ entitlements: wrong, profile: sampleProfile(sampleDextId, wrong) });
  await assertFires(
    laterStageFails,
    { r: device, ...filesOf(sampleApp(), dext) },
    /does not attach to its device: the value of .*transport\.usb/,
  );
});

test("FX-STAGE: an app that only installs the driver is not told that it may not open it", async () => {
  // Installers and managers beside a daemon that talks to the driver: the app never calls IOServiceOpen.
  const without = { [installKey]: true };
  const installer = (imports: readonly string[], dylibs: readonly string[] = []) =>
    filesOf(
      sampleApp({
        entitlements: without,
        profile: sampleProfile(sampleAppId, without),
        executable: {
          minimumOS: "15.0",
          sdk: "15.4",
          dylibs: ["/System/Library/Frameworks/SystemExtensions.framework/SystemExtensions", ...dylibs],
          imports: imports.map((symbol) => ({ symbol, dylib: 0 })),
        },
      }),
      sampleDext(),
    );
  await assertSilent(laterStageFails, installer(["_OBJC_CLASS_$_OSSystemExtensionManager"]));
  await assertSilent(laterStageFails, installer(["_main"], ["@rpath/libswiftCore.dylib"]));
  const mayNot = /org\.example\.app may not open the driver/;
  await assertFires(laterStageFails, installer(["_IOServiceOpen"]), mayNot);
  // A library of its own may do it.
  await assertFires(laterStageFails, installer(["_main"], ["@rpath/Client.framework/Client"]), mayNot);
});

test("FX-STAGE is silent on a near miss", async () => {
  await assertSilent(laterStageFails, filesOf(sampleApp(), sampleDext()));
  // The build fails: that has rules of its own.
  const other = { ...appClaims, [accessKey]: [sampleAppId] };
  await assertSilent(
    laterStageFails,
    filesOf(sampleApp({ profile: sampleProfile(sampleAppId, other) }), sampleDext()),
  );
});
