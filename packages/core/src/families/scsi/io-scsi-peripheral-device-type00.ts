// IOSCSIPeripheralDeviceType00: Apple's class driver for disks, in the kernel, without any dext.

import { IOReturns } from "../../base/io-return.ts";
import type { DriverBundle } from "../../runtime/driver-bundle.ts";
import { IOService, kIOServicePowerCapabilityOff } from "../../runtime/service.ts";
import type { DirectAccessUnit } from "./direct-access-unit.ts";
import { IOSCSIPeripheralDeviceNub } from "./io-scsi-peripheral-device-nub.ts";

/** What the class driver answers SetPowerState with (posts.md T4): 100 s. */
const classDriverPowerUs = 100_000_000;

/** Registered when it has its nub; the family gives it a unit and brings that up. */
export class IOSCSIPeripheralDeviceType00 extends IOService {
  unit: DirectAccessUnit | null = null;
  override promisedPowerUs = classDriverPowerUs;

  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    if (!(provider instanceof IOSCSIPeripheralDeviceNub))
      throw this.failure(IOReturns.kIOReturnUnsupported, "start");
    this.joinPMTree();
    this.registerService();
  }

  /** The class driver's own commands, then the acknowledgement: it has the time that it promised for them. */
  override async setPowerState(powerFlags: number): Promise<void> {
    const { unit } = this;
    if (unit !== null && !unit.nub.isInactive) {
      if (powerFlags === kIOServicePowerCapabilityOff) await unit.powerDown();
      else await unit.powerUp();
    }
    if (!this.isInactive) await super.setPowerState(powerFlags);
  }

  override willTerminate(): void {
    this.unit?.terminated();
  }
}

/** Matches every disk; a dext with vendor or product in its personality scores higher (driverkit-core.md §11.4). */
export const scsiBlockCommandsKext: DriverBundle = {
  kind: "kext",
  identifier: "com.apple.iokit.IOSCSIBlockCommandsDevice",
  version: "1",
  teamIdentifier: "",
  entitlements: {},
  personalities: {
    IOSCSIPeripheralDeviceType00: {
      CFBundleIdentifier: "com.apple.iokit.IOSCSIBlockCommandsDevice",
      IOClass: "IOSCSIPeripheralDeviceType00",
      IOProviderClass: "IOSCSIPeripheralDeviceNub",
      "Peripheral Device Type": 0,
    },
  },
  classes: { IOSCSIPeripheralDeviceType00 },
};
