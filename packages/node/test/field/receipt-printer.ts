// A receipt printer that keeps what is printed while it has paper, and answers DLE EOT with its status.

import { UsbNak } from "@drydock/core/ports/usb-device";
import { OneInterfaceDevice } from "./one-interface-device.ts";

const packetBytes = 64;

/** Class 07h, bidirectional (USB Printing Devices 1.1 §4): keeps what is printed, answers DLE EOT with a status byte. */
export class ReceiptPrinter extends OneInterfaceDevice {
  readonly printed: Uint8Array[] = [];
  #paper: number;

  /** `paper`: for so many bytes; then it takes nothing more, and the host's transfer waits. */
  constructor(paper = Number.POSITIVE_INFINITY) {
    const bulk = (bEndpointAddress: number) => ({
      bEndpointAddress,
      bmAttributes: 2,
      wMaxPacketSize: packetBytes,
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
    this.#paper = paper;
  }

  protected override dataOut(endpoint: number, buffer: Uint8Array, offset: number, length: number): number {
    const taken = length <= this.#paper ? length : this.#paper - (this.#paper % packetBytes);
    if (taken === 0 && length > 0) return UsbNak;
    this.#paper -= taken;
    return super.dataOut(endpoint, buffer, offset, taken);
  }

  protected override heard(_endpoint: number, bytes: Uint8Array): void {
    this.printed.push(bytes);
    if (bytes.length >= 2 && bytes[0] === 0x10 && bytes[1] === 0x04) this.say(0x82, Uint8Array.of(0x16));
  }
}
