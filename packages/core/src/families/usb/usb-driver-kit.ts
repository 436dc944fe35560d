// What a USB dext's author imports, in one place, as the framework's umbrella header has it; and a manifest by default.

import type { DriverBundle } from "../../runtime/driver-bundle.ts";
import type { ServiceClass } from "../../runtime/service.ts";

export { IOReturns } from "../../base/io-return.ts";
export type { DriverBundle } from "../../runtime/driver-bundle.ts";
export { IOError } from "../../runtime/io-error.ts";
export { kIOMemoryDirectionIn, kIOMemoryDirectionOut } from "../../runtime/memory.ts";
export { IOService } from "../../runtime/service.ts";
export { IOUSBHostInterface } from "./io-usb-host-interface.ts";

/** Which interface a driver is for; `IOUSBHostInterface` personalities need all four keys to match (posts.md T2). */
export interface UsbInterfaceMatch {
  readonly idVendor: number;
  readonly idProduct: number;
  /** Default 0. */
  readonly bInterfaceNumber?: number;
  /** Default 1. */
  readonly bConfigurationValue?: number;
}

/**
 * The bundle of one driver class for one USB interface: identifier, personality and the entitlements that it needs to be
 * launched. What a real dext states besides, `more` adds or replaces.
 */
export function usbBundle(
  driver: ServiceClass,
  match: UsbInterfaceMatch,
  more: Partial<DriverBundle> = {},
): DriverBundle {
  const identifier = more.identifier ?? `org.example.${driver.name}`;
  return {
    identifier,
    version: "1",
    teamIdentifier: "EXAMPLE001",
    entitlements: {
      "com.apple.developer.driverkit": true,
      "com.apple.developer.driverkit.transport.usb": [
        { idVendor: match.idVendor, idProduct: match.idProduct },
      ],
    },
    personalities: {
      [driver.name]: {
        CFBundleIdentifier: identifier,
        IOClass: "IOUserService",
        IOUserClass: driver.name,
        IOUserServerName: identifier,
        IOProviderClass: "IOUSBHostInterface",
        bInterfaceNumber: 0,
        bConfigurationValue: 1,
        ...match,
      },
    },
    classes: { [driver.name]: driver },
    ...more,
  };
}
