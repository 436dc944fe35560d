// What Linux usbtest expects of "Gadget Zero": source, sink, two requests that keep bytes.

import type { Setup } from "@drydock/core/codec/usb/setup";
import { UsbSpeed } from "@drydock/core/codec/usb/usb-speed";
import { OneInterfaceDevice } from "./one-interface-device.ts";

/** Vendor requests: OUT keeps what comes, IN gives it back (also for a length other than that). */
const keep = 0x5b;
const giveBack = 0x5c;
const keptMaximum = 4096;

const bulk = (bEndpointAddress: number) => ({
  bEndpointAddress,
  bmAttributes: 2,
  wMaxPacketSize: 512,
  bInterval: 0,
});

export class GadgetZero extends OneInterfaceDevice {
  sunkBytes = 0;
  readonly #kept = new Uint8Array(keptMaximum);

  constructor() {
    super({
      speed: UsbSpeed.high,
      idVendor: 0x0525,
      idProduct: 0xa4a0,
      manufacturer: "Drydock",
      product: "Source and sink",
      serialNumber: "0",
      interfaceClass: [0xff, 0, 0],
      endpoints: [bulk(0x81), bulk(0x02)],
    });
  }

  protected override performRequest(setup: Setup, data: Uint8Array): boolean {
    if (setup.bRequest !== keep || setup.wValue !== 0 || setup.wIndex !== 0) return false;
    if (data.length > keptMaximum) return false;
    this.#kept.set(data);
    return true;
  }

  protected override answerRequest(setup: Setup): Uint8Array | null {
    if (setup.bRequest !== giveBack || setup.wLength > keptMaximum) return null;
    return this.#kept.slice(0, setup.wLength);
  }

  protected override dataIn(_endpoint: number, buffer: Uint8Array, offset: number, length: number): number {
    buffer.fill(0, offset, offset + length);
    return length;
  }

  protected override dataOut(
    _endpoint: number,
    _buffer: Uint8Array,
    _offset: number,
    length: number,
  ): number {
    this.sunkBytes += length;
    return length;
  }
}
