// The bundle of the USB audio driver: what it matches, what it asks for, and how the audio server finds it.

import { AudioSubclass, audioClass } from "../../codec/uac/uac.ts";
import { audioUserClientKey, audioUserClientProperties } from "../../families/audio/audio-format.ts";
import type { DriverBundle } from "../../runtime/driver-bundle.ts";
import type { ServiceClass } from "../../runtime/service.ts";
import { UsbAudioDriver } from "./usb-audio-driver.ts";

const identifier = "org.drydock.driver.usb-audio";

/** `cls` replaces the driver by another: a wrong one, for a case. */
export function usbAudioBundle(cls: ServiceClass = UsbAudioDriver): DriverBundle {
  return {
    identifier,
    version: "1",
    teamIdentifier: "DRYDOCK001",
    entitlements: {
      "com.apple.developer.driverkit": true,
      "com.apple.developer.driverkit.transport.usb": [{ bInterfaceClass: audioClass }],
      "com.apple.developer.driverkit.family.audio": true,
    },
    personalities: {
      UsbAudio: {
        CFBundleIdentifier: identifier,
        IOClass: "IOUserService",
        IOUserClass: "UsbAudioDriver",
        IOUserServerName: identifier,
        IOProviderClass: "IOUSBHostInterface",
        // Whatever the protocol: the header says which class it is.
        bInterfaceClass: audioClass,
        bInterfaceSubClass: AudioSubclass.control,
        [audioUserClientKey]: { ...audioUserClientProperties },
      },
    },
    classes: { UsbAudioDriver: cls },
  };
}
