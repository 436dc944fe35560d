// The driver of mass-storage. Name the datasheet or specification it follows here.

import { IOReturns } from "../../base/io-return.ts";
import { IOUSBHostInterface } from "../../families/usb/io-usb-host-interface.ts";
import type { DriverBundle } from "../../runtime/driver-bundle.ts";
import { kIOMemoryDirectionIn } from "../../runtime/memory.ts";
import { IOService } from "../../runtime/service.ts";

const timeoutMs = 1000;

/** Matches the interface, opens it and reads the device's status. */
export class MassStorageDriver extends IOService {
  #usb: IOUSBHostInterface | null = null;

  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    if (!(provider instanceof IOUSBHostInterface)) throw this.failure(IOReturns.kIOReturnUnsupported, "start");
    await provider.open(this);
    this.#usb = provider;
    const buffer = provider.createIOBuffer(kIOMemoryDirectionIn, 2);
    try {
      // GET_STATUS of the device, USB 2.0 §9.4.5.
      await provider.deviceRequest(0x80, 0, 0, 0, 2, buffer, timeoutMs);
      this.setProperties({ DeviceStatus: buffer.bytes[0] });
    } finally {
      buffer.release();
    }
    this.registerService();
  }

  override async stop(provider: IOService): Promise<void> {
    this.#usb?.close(this);
    await super.stop(provider);
  }
}

const identifier = "org.drydock.driver.mass-storage";

export const massStorageBundle: DriverBundle = {
  identifier,
  version: "1",
  teamIdentifier: "DRYDOCK001",
  entitlements: {
    "com.apple.developer.driverkit": true,
    "com.apple.developer.driverkit.transport.usb": [{ idVendor: 0x1209, idProduct: 2 }],
  },
  personalities: {
    MassStorage: {
      CFBundleIdentifier: identifier,
      IOClass: "IOUserService",
      IOUserClass: "MassStorageDriver",
      IOUserServerName: identifier,
      IOProviderClass: "IOUSBHostInterface",
      idVendor: 0x1209,
      idProduct: 2,
      bConfigurationValue: 1,
      bInterfaceNumber: 0,
    },
  },
  classes: { MassStorageDriver },
};
