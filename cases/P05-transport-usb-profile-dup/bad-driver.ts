// P05, wrong: claim and profile agree, but the entitlements file has XML comments and is signed by hand.

import { samplePart } from "../signing-sample.ts";

const claims = {
  "com.apple.developer.driverkit": true,
  "com.apple.developer.driverkit.transport.usb": [{ idVendor: 1356 }],
};

export const commentedDriver = samplePart("dext", claims, claims, { hasXmlComments: true });
