// The smallest device model to extend: one vendor interface, descriptors by default, one method to answer.

import { encodeConfiguration, TransferType } from "../codec/usb/descriptors.ts";
import type { Setup } from "../codec/usb/setup.ts";
import { UsbSpeed } from "../codec/usb/usb-speed.ts";
import { UsbNak } from "../ports/usb-device.ts";
import { UsbDeviceModel } from "./usb-device-model.ts";

export interface SmallDevicePlan {
  readonly idVendor: number;
  readonly idProduct: number;
  /** Product string. Default "Drydock device". */
  readonly product?: string;
  /** Default full speed. */
  readonly speed?: UsbSpeed;
}

export const smallBulkIn = 0x81;
export const smallBulkOut = 0x02;
const packetBytes = 64;

/**
 * A device with bulk IN 81h and bulk OUT 02h. A subclass answers vendor requests in `answerRequest` (IN; null stalls) and
 * `performRequest` (OUT; false stalls), and data in `dataIn` (NAK by default) and `dataOut` (taken by default).
 */
export class SmallUsbDevice extends UsbDeviceModel {
  constructor(plan: SmallDevicePlan) {
    const speed = plan.speed ?? UsbSpeed.full;
    const endpoint = (bEndpointAddress: number) => ({
      bEndpointAddress,
      bmAttributes: TransferType.bulk,
      wMaxPacketSize: speed === UsbSpeed.full ? packetBytes : packetBytes * 8,
      bInterval: 0,
    });
    super({
      speed,
      device: {
        bcdUSB: 0x0200,
        bDeviceClass: 0xff,
        bDeviceSubClass: 0,
        bDeviceProtocol: 0,
        bMaxPacketSize0: packetBytes,
        idVendor: plan.idVendor,
        idProduct: plan.idProduct,
        bcdDevice: 0x0100,
        iManufacturer: 1,
        iProduct: 2,
        iSerialNumber: 0,
        bNumConfigurations: 1,
      },
      configurations: [
        encodeConfiguration(
          { bConfigurationValue: 1, iConfiguration: 0, bmAttributes: 0x80, bMaxPower: 50 },
          [
            {
              bInterfaceNumber: 0,
              bInterfaceClass: 0xff,
              bInterfaceSubClass: 0,
              bInterfaceProtocol: 0,
              endpoints: [endpoint(smallBulkIn), endpoint(smallBulkOut)],
            },
          ],
        ),
      ],
      strings: ["Drydock", plan.product ?? "Drydock device"],
    });
  }

  protected override powerOn(): void {}

  protected override answerRequest(_setup: Setup): Uint8Array | null {
    return null;
  }

  protected override performRequest(_setup: Setup, _data: Uint8Array): boolean {
    return false;
  }

  protected override dataIn(
    _endpoint: number,
    _buffer: Uint8Array,
    _offset: number,
    _length: number,
  ): number {
    return UsbNak;
  }

  protected override dataOut(
    _endpoint: number,
    _buffer: Uint8Array,
    _offset: number,
    length: number,
  ): number {
    return length;
  }
}
