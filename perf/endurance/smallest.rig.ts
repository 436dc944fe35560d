// The smallest rig that has a driver: one device, one transfer. What a scenario costs at the least.

import { SmallUsbDevice } from "@drydock/core/devices/small-usb-device";
import {
  IOService,
  type IOUSBHostInterface,
  kIOMemoryDirectionIn,
  usbBundle,
} from "@drydock/core/families/usb/usb-driver-kit";
import { ownUsbRig } from "@drydock/core/rigs/own-rig";

const ids = { idVendor: 0x1209, idProduct: 0x0d35 };
/** Device to host, vendor, device (USB 2.0 §9.3). */
const vendorIn = 0xc0;
const timeoutMs = 1000;

class Thermometer extends SmallUsbDevice {
  constructor() {
    super(ids);
  }

  protected override answerRequest(): Uint8Array {
    return Uint8Array.of(21);
  }
}

class ThermometerDriver extends IOService {
  #usb: IOUSBHostInterface | null = null;

  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    this.#usb = provider as IOUSBHostInterface;
    await this.#usb.open(this);
    this.registerService();
  }

  async read(): Promise<number> {
    const usb = this.#usb as IOUSBHostInterface;
    const answer = usb.createIOBuffer(kIOMemoryDirectionIn, 1);
    await usb.deviceRequest(vendorIn, 1, 0, 0, 1, answer, timeoutMs);
    return answer.bytes[0] ?? 0;
  }
}

export default ownUsbRig({
  name: "smallest",
  summary: "a thermometer that is read once",
  devices: [{ name: "a thermometer", make: () => new Thermometer() }],
  bundles: [usbBundle(ThermometerDriver, ids)],
  use: async ({ machine }) => {
    const [driver] = machine.registry.byClass("ThermometerDriver") as ThermometerDriver[];
    if (driver === undefined) return "no driver";
    let outcome = "not read";
    await machine.perform(async () => {
      try {
        outcome = `${await driver.read()} degrees`;
      } catch {
        outcome = "not read";
      }
    }, driver.process);
    return outcome;
  },
});
