// FX-EDITED: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { plist } from "../../test/samples.ts";
import {
  driverClaims,
  filesOf,
  sampleDext,
  sampleDextId,
  sampleProfile,
  usbKey,
} from "../../test/signed-samples.ts";
import { readableCopyDiffers } from "./readable-copy-differs.ts";

test("FX-EDITED fires: says com.apple.developer.driverkit.transport.usb = [{'idVendor':1356}], its DER says [{'id", async () => {
  const wildcard = { ...driverClaims, [usbKey]: [{ idVendor: "*" }] };
  await assertFires(
    readableCopyDiffers,
    { p: sampleProfile(sampleDextId, wildcard, { readableEntitlements: driverClaims }) },
    /says com\.apple\.developer\.driverkit\.transport\.usb = \[\{"idVendor":1356\}\], its DER says \[\{"idVendor":"\*"\}\]; the DER counts/,
  );
  const readableEntitlements = plist({ "com.apple.developer.driverkit": true });
  await assertFires(
    readableCopyDiffers,
    filesOf(sampleDext({ readableEntitlements })),
    /signature of org\.example\.app\.driver has two different sets of entitlements: .*transport\.usb/,
  );
});

test("FX-EDITED is silent on a near miss", async () => {
  await assertSilent(readableCopyDiffers, {
    p: sampleProfile(sampleDextId, driverClaims),
    ...filesOf(sampleDext()),
  });
});
