// A user's rig whose driver asks its device without a timeout: what a campaign must find.

import { SmallUsbDevice } from "@drydock/core/devices/small-usb-device";
import {
  IOService,
  type IOUSBHostInterface,
  kIOMemoryDirectionIn,
  usbBundle,
} from "@drydock/core/families/usb/usb-driver-kit";
import { ownUsbRig } from "@drydock/core/rigs/own-rig";

const ids = { idVendor: 0x1209, idProduct: 0x0d34 };
/** Device to host, vendor, device (USB 2.0 §9.3). */
const vendorIn = 0xc0;

class Scale extends SmallUsbDevice {
  constructor() {
    super(ids);
  }

  protected override answerRequest(): Uint8Array {
    return Uint8Array.of(42, 0);
  }
}

class PatientDriver extends IOService {
  #usb: IOUSBHostInterface | null = null;

  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    this.#usb = provider as IOUSBHostInterface;
    await this.#usb.open(this);
    this.registerService();
  }

  async weigh(): Promise<number> {
    const usb = this.#usb as IOUSBHostInterface;
    const answer = usb.createIOBuffer(kIOMemoryDirectionIn, 2);
    await usb.deviceRequest(vendorIn, 1, 0, 0, 2, answer, 0);
    return answer.bytes[0] ?? 0;
  }
}

export default ownUsbRig({
  name: "scale",
  summary: "a scale",
  devices: [{ name: "a scale", make: () => new Scale() }],
  bundles: [usbBundle(PatientDriver, ids)],
  use: async ({ machine }) => {
    const [driver] = machine.registry.byClass("PatientDriver") as PatientDriver[];
    if (driver === undefined) return "no driver";
    let weight = 0;
    await machine.perform(async () => {
      weight = await driver.weigh();
    }, driver.process);
    return `${weight} g`;
  },
});
