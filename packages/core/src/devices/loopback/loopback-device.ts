// A device for testing carriers: loops data back, stalls and stays silent on request.

import { ByteRing } from "../../base/byte-ring.ts";
import { encodeConfiguration, TransferType } from "../../codec/usb/descriptors.ts";
import type { Setup } from "../../codec/usb/setup.ts";
import { UsbNak } from "../../ports/usb-device.ts";
import { UsbSpeed } from "../../ports/usb-speed.ts";
import { UsbDeviceModel } from "../usb-device-model.ts";

/** Vendor requests; the contract list of ports/usb-host.contract.ts is written against them. */
const request = { echo: 1, refuse: 2, haltEndpoint: 3, notify: 4, later: 5 } as const;
const bulkIn = 0x81;
const bulkOut = 0x01;
const interruptIn = 0x82;
const alternateIn = 0x83;
const packetBytes = 64;

/**
 * Bulk OUT 01h comes back on bulk IN 81h (4 KiB between them); interrupt IN 82h says what `notify` gave it; alternate
 * setting 1 adds bulk IN 83h, which answers zeros. Control: `echo` stores and returns its data, `refuse` always STALLs,
 * `haltEndpoint` halts the endpoint in wIndex.
 */
export class LoopbackDevice extends UsbDeviceModel {
  readonly #ring = new ByteRing(12);
  #echo = new Uint8Array(0);
  #notices: number[] = [];
  #owesZeroPacket = false;

  /** Drydock's own test ids unless told otherwise. */
  constructor(
    identity: { readonly idVendor: number; readonly idProduct: number } = {
      idVendor: 0x1209,
      idProduct: 0x0002,
    },
  ) {
    super({
      speed: UsbSpeed.full,
      device: {
        bcdUSB: 0x0200,
        bDeviceClass: 0xff,
        bDeviceSubClass: 0,
        bDeviceProtocol: 0,
        bMaxPacketSize0: 64,
        ...identity,
        bcdDevice: 0x0100,
        iManufacturer: 1,
        iProduct: 2,
        iSerialNumber: 0,
        bNumConfigurations: 1,
      },
      configurations: [configuration()],
      strings: ["Drydock", "Loopback"],
    });
  }

  protected override powerOn(): void {
    this.#ring.clear();
    this.#echo = new Uint8Array(0);
    this.#notices = [];
    this.#owesZeroPacket = false;
  }

  protected override answerRequest(setup: Setup): Uint8Array | null {
    return setup.bRequest === request.echo ? this.#echo : null;
  }

  protected override performRequest(setup: Setup, data: Uint8Array): boolean {
    switch (setup.bRequest) {
      case request.echo:
        this.#echo = data.slice();
        return true;
      case request.haltEndpoint:
        this.halt(setup.wIndex & 0xff);
        return true;
      case request.notify:
        this.#notices.push(setup.wValue & 0xff);
        this.ready(interruptIn);
        return true;
      default:
        return false;
    }
  }

  protected override dataIn(endpoint: number, buffer: Uint8Array, offset: number, length: number): number {
    if (endpoint === alternateIn) {
      buffer.fill(0, offset, offset + length);
      return length;
    }
    if (endpoint === interruptIn) {
      const notice = this.#notices.shift();
      if (notice === undefined || length === 0) return UsbNak;
      buffer[offset] = notice;
      return 1;
    }
    const count = this.#ring.pull(buffer, offset, length);
    if (count > 0) {
      this.#owesZeroPacket = count % packetBytes === 0 && count < length;
      this.ready(bulkOut);
      return count;
    }
    if (!this.#owesZeroPacket) return UsbNak;
    this.#owesZeroPacket = false;
    return 0;
  }

  protected override dataOut(_endpoint: number, buffer: Uint8Array, offset: number, length: number): number {
    if (length === 0) return 0;
    const taken = this.#ring.push(buffer, offset, length);
    if (taken === 0) return UsbNak;
    this.ready(bulkIn);
    return taken;
  }
}

function configuration(): Uint8Array {
  const bulk = (bEndpointAddress: number) => ({
    bEndpointAddress,
    bmAttributes: TransferType.bulk,
    wMaxPacketSize: packetBytes,
    bInterval: 0,
  });
  const notices = {
    bEndpointAddress: interruptIn,
    bmAttributes: TransferType.interrupt,
    wMaxPacketSize: 8,
    bInterval: 1,
  };
  const vendor = { bInterfaceNumber: 0, bInterfaceClass: 0xff, bInterfaceSubClass: 0, bInterfaceProtocol: 0 };
  return encodeConfiguration(
    { bConfigurationValue: 1, iConfiguration: 0, bmAttributes: 0x80, bMaxPower: 50 },
    [
      { ...vendor, endpoints: [bulk(bulkIn), bulk(bulkOut), notices] },
      {
        ...vendor,
        bAlternateSetting: 1,
        endpoints: [bulk(bulkIn), bulk(bulkOut), notices, bulk(alternateIn)],
      },
    ],
  );
}
