// P15: a dext on a disk's class driver, whose ways with SetPowerState differ.

import { IOUserSCSIPeripheralDeviceType00 } from "@drydock/core/families/scsi/io-user-scsi-peripheral-device-type00";
import type { DriverBundle } from "@drydock/core/runtime/driver-bundle";
import type { IOService, ServiceClass } from "@drydock/core/runtime/service";

/** Starts, joins the power tree, registers; the class driver's half does the rest. */
export class PowerDriver extends IOUserSCSIPeripheralDeviceType00 {
  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    this.joinPMTree();
    this.registerService();
  }
}

/** Vendor and product make it win over the class driver alone. */
export function powerBundle(name: string, cls: ServiceClass): DriverBundle {
  const identifier = `org.drydock.case.p15.${name}`;
  return {
    identifier,
    version: "1",
    teamIdentifier: "CASE000001",
    entitlements: { "com.apple.developer.driverkit": true },
    personalities: {
      Disk: {
        CFBundleIdentifier: identifier,
        IOClass: "IOUserSCSIPeripheralDeviceType00",
        IOUserClass: "P15Driver",
        IOUserServerName: identifier,
        IOProviderClass: "IOSCSIPeripheralDeviceNub",
        "Peripheral Device Type": 0,
        IOProbeScore: 50_000,
      },
    },
    classes: { P15Driver: cls },
  };
}
