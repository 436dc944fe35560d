// FX-PLACE: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { plist } from "../../test/samples.ts";
import { driverOutOfPlace } from "./driver-out-of-place.ts";

const driver = plist({ CFBundleIdentifier: "org.example.pad.driver", CFBundlePackageType: "DEXT" });
const name = "org.example.pad.driver.dext/Info.plist";

test("FX-PLACE fires: among the plug-ins, and in the app itself", async () => {
  await assertFires(
    driverOutOfPlace,
    { [`Pad.app/Contents/PlugIns/${name}`]: driver },
    /lies in Pad\.app\/Contents\/PlugIns: .* ends with error 4/,
  );
  await assertFires(driverOutOfPlace, { [`out/Pad.app/${name}`]: driver }, /lies in out\/Pad\.app:/);
});

test("FX-PLACE is silent: where Xcode embeds it for a Mac and for an iPad, and without an app round it", async () => {
  for (const folder of ["Pad.app/Contents/Library/SystemExtensions", "Pad.app/SystemExtensions", "build"])
    await assertSilent(driverOutOfPlace, { [`${folder}/${name}`]: driver });
});
