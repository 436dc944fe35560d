// P04, wrong: the claim carries the vendor's number, the profile is the development one with the wildcard.

import { claimedVendor, usbDriverBundle, usbTransport } from "./usb-driver.ts";

export const badUsbBundle = usbDriverBundle(
  { [usbTransport]: [{ idVendor: claimedVendor }] },
  { "com.apple.developer.driverkit": true, [usbTransport]: [{ idVendor: "*" }] },
);
