// The bundle of the AC'97 driver: what it matches, what it asks for, and how the audio server finds it.

import { audioUserClientKey, audioUserClientProperties } from "../../families/audio/audio-format.ts";
import type { DriverBundle } from "../../runtime/driver-bundle.ts";
import type { ServiceClass } from "../../runtime/service.ts";
import { Ac97Driver, ringFramesKey } from "./ac97-driver.ts";

const identifier = "org.drydock.driver.ac97";
const match = "0x24158086";

/** `cls` replaces the driver by another: a wrong one, for a case. `ringFrames`: of the ring, in place of the driver's own. */
export function ac97Bundle(cls: ServiceClass = Ac97Driver, ringFrames?: number): DriverBundle {
  return {
    identifier,
    version: "1",
    teamIdentifier: "DRYDOCK001",
    entitlements: {
      "com.apple.developer.driverkit": true,
      "com.apple.developer.driverkit.transport.pci": [{ IOPCIMatch: match }],
      "com.apple.developer.driverkit.family.audio": true,
    },
    personalities: {
      AC97: {
        CFBundleIdentifier: identifier,
        IOClass: "IOUserService",
        IOUserClass: "Ac97Driver",
        IOUserServerName: identifier,
        IOProviderClass: "IOPCIDevice",
        IOPCIMatch: match,
        IOPCITunnelCompatible: true,
        IOPCIPauseCompatible: true,
        ...(ringFrames === undefined ? {} : { [ringFramesKey]: ringFrames }),
        [audioUserClientKey]: { ...audioUserClientProperties },
      },
    },
    classes: { Ac97Driver: cls },
  };
}
