// A device made from what a personality asks for: enough of one that a driver matches, starts and moves bytes.

import { encodeConfiguration, TransferType } from "@drydock/core/codec/usb/descriptors";
import type { Setup } from "@drydock/core/codec/usb/setup";
import { UsbSpeed } from "@drydock/core/codec/usb/usb-speed";
import { UsbDeviceModel } from "@drydock/core/devices/usb-device-model";
import type { Properties, PropertyValue } from "@drydock/core/platform/properties";
import { UsbNak } from "@drydock/core/ports/usb-device";

const interruptIn = 0x83;
/** Drivers name endpoints by number: the usual ones are there. */
const bulkEndpoints: readonly number[] = [0x81, 0x01, 0x82, 0x02];
const packetBytes = 64;
/** What it keeps of what was written, to give it back. */
const keptBytes = 65536;

/**
 * One interface of the class, number and configuration that the personality names, with bulk and interrupt endpoints. What is
 * written comes back; the interrupt endpoint says eight zeros now and then; vendor and class requests that read answer zeros,
 * those that write are taken. It is nobody's chip: a driver that needs its chip's answers meets the end of this.
 */
export class AskedDevice extends UsbDeviceModel {
  readonly #waiting: number[] = [];
  #interrupts = 0;

  constructor(asked: Properties) {
    const number = (key: string, otherwise: number): number => numberOf(asked[key]) ?? otherwise;
    const first = number("bInterfaceNumber", 0);
    const endpoint = (bEndpointAddress: number, type: number) => ({
      bEndpointAddress,
      bmAttributes: type,
      wMaxPacketSize: packetBytes,
      bInterval: type === TransferType.interrupt ? 10 : 0,
    });
    super({
      speed: UsbSpeed.full,
      device: {
        bcdUSB: 0x0200,
        bDeviceClass: number("bDeviceClass", 0xff),
        bDeviceSubClass: number("bDeviceSubClass", 0),
        bDeviceProtocol: number("bDeviceProtocol", 0),
        bMaxPacketSize0: packetBytes,
        idVendor: number("idVendor", 0x1209),
        idProduct: number("idProduct", firstOf(asked.idProductArray) ?? 0x0001),
        bcdDevice: number("bcdDevice", 0x0100),
        iManufacturer: 1,
        iProduct: 2,
        iSerialNumber: 3,
        bNumConfigurations: 1,
      },
      configurations: [
        encodeConfiguration(
          {
            bConfigurationValue: number("bConfigurationValue", 1),
            iConfiguration: 0,
            bmAttributes: 0x80,
            bMaxPower: 50,
          },
          Array.from({ length: first + 1 }, (_, index) => ({
            bInterfaceNumber: index,
            bInterfaceClass: number("bInterfaceClass", 0xff),
            bInterfaceSubClass: number("bInterfaceSubClass", 0),
            bInterfaceProtocol: number("bInterfaceProtocol", 0),
            endpoints:
              index === first
                ? [
                    ...bulkEndpoints.map((address) => endpoint(address, TransferType.bulk)),
                    endpoint(interruptIn, TransferType.interrupt),
                  ]
                : [],
          })),
        ),
      ],
      strings: ["Drydock", "Asked device", "1"],
    });
  }

  protected override powerOn(): void {
    this.#waiting.length = 0;
  }

  protected override answerRequest(setup: Setup): Uint8Array | null {
    return new Uint8Array(setup.wLength);
  }

  protected override performRequest(_setup: Setup, _data: Uint8Array): boolean {
    return true;
  }

  protected override dataIn(endpoint: number, buffer: Uint8Array, offset: number, length: number): number {
    if (endpoint === interruptIn) {
      if (this.#interrupts++ % 4 !== 0) return UsbNak;
      const count = Math.min(8, length);
      buffer.fill(0, offset, offset + count);
      return count;
    }
    if (this.#waiting.length === 0) return UsbNak;
    const bytes = this.#waiting.splice(0, Math.min(length, packetBytes));
    buffer.set(bytes, offset);
    return bytes.length;
  }

  protected override dataOut(_endpoint: number, buffer: Uint8Array, offset: number, length: number): number {
    if (this.#waiting.length + length > keptBytes) return UsbNak;
    this.#waiting.push(...buffer.subarray(offset, offset + length));
    return length;
  }
}

function numberOf(value: PropertyValue | undefined): number | null {
  return typeof value === "number" ? value : null;
}

function firstOf(value: PropertyValue | undefined): number | null {
  return Array.isArray(value) ? numberOf((value as readonly PropertyValue[])[0]) : null;
}
