// A receipt printer that keeps what is printed, and answers DLE EOT with its status.

import { OneInterfaceDevice } from "./one-interface-device.ts";

/** Class 07h, bidirectional (USB Printing Devices 1.1 §4): keeps what is printed, answers DLE EOT with a status byte. */
export class ReceiptPrinter extends OneInterfaceDevice {
  readonly printed: Uint8Array[] = [];

  constructor() {
    const bulk = (bEndpointAddress: number) => ({
      bEndpointAddress,
      bmAttributes: 2,
      wMaxPacketSize: 64,
      bInterval: 0,
    });
    super({
      idVendor: 0x04b8,
      idProduct: 0x0202,
      manufacturer: "EPSON",
      product: "TM-T20",
      serialNumber: "R-1",
      interfaceClass: [7, 1, 2],
      endpoints: [bulk(0x01), bulk(0x82)],
    });
  }

  protected override heard(_endpoint: number, bytes: Uint8Array): void {
    this.printed.push(bytes);
    if (bytes.length >= 2 && bytes[0] === 0x10 && bytes[1] === 0x04) this.say(0x82, Uint8Array.of(0x16));
  }
}
