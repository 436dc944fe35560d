// A device that forgets what it is given, for measuring what carries it there.

import { encodeConfiguration, TransferType } from "@drydock/core/codec/usb/descriptors";
import { UsbSpeed } from "@drydock/core/codec/usb/usb-speed";
import { UsbDeviceModel } from "@drydock/core/devices/usb-device-model";
import { UsbNak } from "@drydock/core/ports/usb-device";

/** Takes whatever comes on bulk OUT 01h and forgets it: the counterpart of the loopback device's zeros. */
export class SinkDevice extends UsbDeviceModel {
  constructor() {
    const packet = { bmAttributes: TransferType.bulk, wMaxPacketSize: 64, bInterval: 0 };
    super({
      speed: UsbSpeed.full,
      device: {
        ...{
          bcdUSB: 0x0200,
          bDeviceClass: 0xff,
          bDeviceSubClass: 0,
          bDeviceProtocol: 0,
          bMaxPacketSize0: 64,
        },
        ...{ idVendor: 0x1209, idProduct: 0x0003, bcdDevice: 0x0100 },
        ...{ iManufacturer: 0, iProduct: 0, iSerialNumber: 0, bNumConfigurations: 1 },
      },
      configurations: [
        encodeConfiguration(
          { bConfigurationValue: 1, iConfiguration: 0, bmAttributes: 0x80, bMaxPower: 50 },
          [
            {
              ...{ bInterfaceNumber: 0, bInterfaceClass: 0xff, bInterfaceSubClass: 0, bInterfaceProtocol: 0 },
              endpoints: [{ bEndpointAddress: 0x01, ...packet }],
            },
          ],
        ),
      ],
      strings: [],
    });
  }

  protected override powerOn(): void {}
  protected override answerRequest(): null {
    return null;
  }
  protected override performRequest(): boolean {
    return false;
  }
  protected override dataIn(): number {
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
