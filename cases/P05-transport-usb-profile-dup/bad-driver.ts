// P05, wrong: claim and profile agree, but the entitlements file has XML comments and is signed by hand.

import { formatPlist } from "@drydock/core/platform/evidence/plist-text";
import { samplePart } from "../signing-sample.ts";

const claims = {
  "com.apple.developer.driverkit": true,
  "com.apple.developer.driverkit.transport.usb": [{ idVendor: 1356 }],
};

export const commentedDriver = samplePart("dext", claims, claims, {
  bundleIdentifier: "org.drydock.p05.app.driver",
  hasXmlComments: true,
});

/** As the file has it: the vendor is named in a comment. */
export const commentedEntitlements = formatPlist(claims).replace("<dict>", "<dict>\n\t<!-- Sony, 0x054C -->");
