// What both sides of P06 share: the bundle of a virtual gamepad, with its classes or without.

import type { DriverBundle } from "@drydock/core/runtime/driver-bundle";
import type { ServiceClass } from "@drydock/core/runtime/service";

const identifier = "org.drydock.case.p06.gamepad";

/** On IOUserResources, which is there without any hardware, once IOKit is up. */
export function gamepadBundle(classes: Readonly<Record<string, ServiceClass>>): DriverBundle {
  return {
    identifier,
    version: "1",
    teamIdentifier: "CASE000006",
    entitlements: {
      "com.apple.developer.driverkit": true,
      "com.apple.developer.driverkit.family.hid.device": true,
    },
    personalities: {
      Gamepad: {
        CFBundleIdentifier: identifier,
        IOClass: "AppleUserHIDDevice",
        IOUserClass: "VirtualGamepad",
        IOUserServerName: identifier,
        IOProviderClass: "IOUserResources",
        IOResourceMatch: "IOKit",
        IOMatchCategory: identifier,
        IOServiceDEXTEntitlements: "com.apple.developer.driverkit.family.hid.device",
      },
    },
    classes,
  };
}
