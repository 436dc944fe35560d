// The smallest device: a thermometer that answers one request.

import { SmallUsbDevice } from "@drydock/core/devices/small-usb-device";

export class Thermometer extends SmallUsbDevice {
  celsius = 21;

  constructor() {
    super({ idVendor: 0x1209, idProduct: 3, product: "Thermometer" });
  }

  /** Vendor request 1 reads the temperature; everything else stalls, as hardware does. */
  protected override answerRequest({ bRequest }: { readonly bRequest: number }): Uint8Array | null {
    return bRequest === 1 ? Uint8Array.of(this.celsius) : null;
  }
}
