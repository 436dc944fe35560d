// P07, wrong: a driver extension as a policy. It takes the devices that are on its list, and no others.

import type { IOUSBHostInterface } from "@drydock/core/families/usb/io-usb-host-interface";
import type { DriverBundle } from "@drydock/core/runtime/driver-bundle";
import { IOService } from "@drydock/core/runtime/service";
import { ids } from "./devices.ts";

/** Holds the interface and does nothing with it, so that no other driver gets it. */
class BlockerDriver extends IOService {
  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    await (provider as IOUSBHostInterface).open(this);
    this.log("blocked");
    this.registerService();
  }
}

/** A distribution entitlement names each product; there is no "all the others". */
export const blockerBundle: DriverBundle = {
  identifier: "org.drydock.case.p07.blocker",
  version: "1",
  teamIdentifier: "CASE000007",
  entitlements: {
    "com.apple.developer.driverkit": true,
    "com.apple.developer.driverkit.transport.usb": [
      { idVendor: ids.stick.idVendor, idProduct: ids.stick.idProduct },
      { idVendor: ids.attachedScsi.idVendor, idProduct: ids.attachedScsi.idProduct },
    ],
  },
  personalities: Object.fromEntries(
    [ids.stick, ids.attachedScsi].map(({ idVendor, idProduct, product }) => [
      product,
      {
        IOUserClass: "BlockerDriver",
        IOProviderClass: "IOUSBHostInterface",
        idVendor,
        idProduct,
        bConfigurationValue: 1,
        bInterfaceNumber: 0,
        IOProbeScore: 10_000,
      },
    ]),
  ),
  classes: { BlockerDriver },
};
