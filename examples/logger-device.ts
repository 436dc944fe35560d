// An author's first model: a temperature logger that answers one request, a sample at a time.

import { SmallUsbDevice } from "@drydock/core/devices/small-usb-device";

interface Request {
  readonly bRequest: number;
  readonly wIndex: number;
}

export class Logger extends SmallUsbDevice {
  /** Tenths of a degree Celsius. */
  readonly samples: number[] = [200, 215, 223];

  constructor() {
    super({ idVendor: 0x1209, idProduct: 0x0d01, product: "Temperature logger" });
  }

  /** Vendor request 1 reads the sample at wIndex, two bytes, low one first; what is not there stalls, as hardware does. */
  protected override answerRequest({ bRequest, wIndex }: Request): Uint8Array | null {
    const sample = this.samples[wIndex];
    return bRequest === 1 && sample !== undefined ? Uint8Array.of(sample & 0xff, sample >> 8) : null;
  }
}
