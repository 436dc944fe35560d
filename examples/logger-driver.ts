// The driver of the temperature logger: it reads three samples when it starts.

import {
  IOService,
  type IOUSBHostInterface,
  kIOMemoryDirectionIn,
  usbBundle,
} from "@drydock/core/families/usb/usb-driver-kit";

/** Device to host, vendor, device (USB 2.0 §9.3). */
const vendorIn = 0xc0;

export class LoggerDriver extends IOService {
  readonly read: number[] = [];

  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    const usb = provider as IOUSBHostInterface;
    await usb.open(this);
    const answer = usb.createIOBuffer(kIOMemoryDirectionIn, 2);
    for (let index = 0; index < 3; index++) {
      await usb.deviceRequest(vendorIn, 1, 0, index, 2, answer, 1000);
      const [low = 0, high = 0] = answer.bytes;
      this.read.push(low | (high << 8));
    }
    this.registerService();
  }
}

export const loggerBundle = usbBundle(LoggerDriver, { idVendor: 0x1209, idProduct: 0x0d01 });
