// The smallest driver: it reads the thermometer once and says what it read. Run it: npm run example

import {
  IOService,
  type IOUSBHostInterface,
  kIOMemoryDirectionIn,
  usbBundle,
} from "@drydock/core/families/usb/usb-driver-kit";
import { openUsbRig } from "@drydock/node/open-rig";
import { Thermometer } from "./smallest-device.ts";

class ThermometerDriver extends IOService {
  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    const usb = provider as IOUSBHostInterface;
    await usb.open(this);
    const answer = usb.createIOBuffer(kIOMemoryDirectionIn, 1);
    await usb.deviceRequest(0xc0, 1, 0, 0, 1, answer, 1000);
    this.log(`${answer.bytes[0]} degrees`);
    this.registerService();
  }
}

const rig = openUsbRig();
rig.machine.install(usbBundle(ThermometerDriver, { idVendor: 0x1209, idProduct: 3 }));
rig.bus.plugIn(new Thermometer());
await rig.run();
for (const { message } of rig.machine.log.show()) console.log(message);
