// The smallest USB driver with a profile: what it claims and what the profile allows are arguments.

import type { IOUSBHostInterface } from "@drydock/core/families/usb/io-usb-host-interface";
import type { Properties } from "@drydock/core/platform/properties";
import type { DriverBundle } from "@drydock/core/runtime/driver-bundle";
import { IOService } from "@drydock/core/runtime/service";

export const usbDriverIdentifier = "org.drydock.p04.app.dext";
export const usbTransport = "com.apple.developer.driverkit.transport.usb";
/** The vendor of the post: 1356 decimal is 0x054C. */
export const claimedVendor = 1356;

class VendorDriver extends IOService {
  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    await (provider as IOUSBHostInterface).open(this);
    this.registerService();
  }
}

/**
 * The driver for interfaces of any device of the vendor that it claims. The personality is wider than the claim, so that
 * the entitlement's value, not matching, decides about a device of somebody else.
 */
export function usbDriverBundle(claims: Properties, profileEntitlements: Properties | null): DriverBundle {
  const personality = (idVendor: number, idProduct: number): Properties => ({
    CFBundleIdentifier: usbDriverIdentifier,
    IOClass: "IOUserService",
    IOUserClass: "VendorDriver",
    IOUserServerName: usbDriverIdentifier,
    IOProviderClass: "IOUSBHostInterface",
    idVendor,
    idProduct,
    bInterfaceNumber: 0,
    bConfigurationValue: 1,
  });
  return {
    identifier: usbDriverIdentifier,
    version: "1",
    teamIdentifier: "DRIVERTEAM",
    entitlements: { "com.apple.developer.driverkit": true, ...claims },
    profileEntitlements,
    personalities: { Own: personality(0x054c, 2), Foreign: personality(0x0403, 2) },
    classes: { VendorDriver },
  };
}
