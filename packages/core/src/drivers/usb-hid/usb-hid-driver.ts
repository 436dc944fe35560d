// The driver of USB keyboards, pointers and game controllers. HID 1.11.

import { IOUserHIDEventDriver } from "../../families/hid/io-user-hid-event-driver.ts";
import { IOUserUSBHostHIDDevice } from "../../families/usb-hid/io-user-usb-host-hid-device.ts";
import type { DriverBundle } from "../../runtime/driver-bundle.ts";

/** Matches HID interfaces and publishes each as a HID device. The family does the rest. */
export class UsbHidDriver extends IOUserUSBHostHIDDevice {}

/** Matches the HID interface that the system publishes on it and makes events of its reports. */
export class UsbHidEventDriver extends IOUserHIDEventDriver {}

const identifier = "org.drydock.driver.usb-hid";
const desktop = 1;

const device = {
  CFBundleIdentifier: identifier,
  IOClass: "AppleUserHIDDevice",
  IOUserClass: "UsbHidDriver",
  IOUserServerName: identifier,
  IOProviderClass: "IOUSBHostInterface",
  IOServiceDEXTEntitlements: "com.apple.developer.driverkit.family.hid.device",
  bInterfaceClass: 3,
};

export const usbHidBundle: DriverBundle = {
  identifier,
  version: "1",
  teamIdentifier: "DRYDOCK001",
  entitlements: {
    "com.apple.developer.driverkit": true,
    "com.apple.developer.driverkit.transport.usb": [{ bInterfaceClass: 3 }],
    "com.apple.developer.driverkit.transport.hid": true,
    "com.apple.developer.driverkit.family.hid.device": true,
    "com.apple.developer.driverkit.family.hid.eventservice": true,
  },
  personalities: {
    // The USB table of keys has no row with the class alone.
    UsbHidDriver: { ...device, bInterfaceSubClass: 0 },
    UsbHidBootDriver: { ...device, bInterfaceSubClass: 1 },
    UsbHidEventDriver: {
      CFBundleIdentifier: identifier,
      IOClass: "AppleUserHIDEventService",
      IOUserClass: "UsbHidEventDriver",
      IOUserServerName: `${identifier}.events`,
      IOProviderClass: "IOHIDInterface",
      IOServiceDEXTEntitlements: "com.apple.developer.driverkit.family.hid.eventservice",
      // Pointer, mouse, joystick, game pad, keyboard, keypad.
      DeviceUsagePairs: [1, 2, 4, 5, 6, 7].map((usage) => ({ DeviceUsagePage: desktop, DeviceUsage: usage })),
    },
  },
  classes: { UsbHidDriver, UsbHidEventDriver },
};
