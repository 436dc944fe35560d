// P04, right: claim and profile carry the same number, as for distribution.

import { claimedVendor, usbDriverBundle, usbTransport } from "./usb-driver.ts";

export const goodUsbBundle = usbDriverBundle(
  { [usbTransport]: [{ idVendor: claimedVendor }] },
  { "com.apple.developer.driverkit": true, [usbTransport]: [{ idVendor: claimedVendor }] },
);
