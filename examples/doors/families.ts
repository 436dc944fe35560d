// A driver that says what it was given, as a bundle with the key set that matches its device.

import { IOService, type IOUSBHostInterface, usbBundle } from "@drydock/core/families/usb/usb-driver-kit";
import { openUsbRig } from "@drydock/node/open-rig";
import { Logger } from "../logger-device.ts";

class Greeter extends IOService {
  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    console.log((provider as IOUSBHostInterface).constructor.name);
    this.registerService();
  }
}

const rig = openUsbRig();
rig.machine.install(usbBundle(Greeter, { idVendor: 0x1209, idProduct: 0x0d01 }));
rig.bus.plugIn(new Logger());
await rig.run(2e9);
console.log(rig.machine.registry.byClass("Greeter").length);
// prints:
// IOUSBHostInterface
// 1
