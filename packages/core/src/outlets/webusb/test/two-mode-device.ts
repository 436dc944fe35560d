// A device for testing the WebUSB face: three configurations, odd numbers, isochronous and protected interfaces.

import { encodeConfiguration, type SettingPlan, TransferType } from "../../../codec/usb/descriptors.ts";
import type { Setup } from "../../../codec/usb/setup.ts";
import { UsbSpeed } from "../../../codec/usb/usb-speed.ts";
import { type answerLater, UsbDeviceModel } from "../../../devices/usb-device-model.ts";
import { UsbNak } from "../../../ports/usb-device.ts";

export interface TwoModePlan {
  readonly serial?: string;
  readonly release?: number;
  readonly vendor?: number;
  /** Class of interface 0 in configuration 1. */
  readonly firstClass?: number;
}

const endpoint = (bEndpointAddress: number, bmAttributes: number, wMaxPacketSize: number) => ({
  bEndpointAddress,
  bmAttributes,
  wMaxPacketSize,
  bInterval: 1,
});

function setting(
  number: number,
  alternate: number,
  endpoints: SettingPlan["endpoints"],
  of = 0xff,
): SettingPlan {
  return {
    bInterfaceNumber: number,
    bAlternateSetting: alternate,
    bInterfaceClass: of,
    bInterfaceSubClass: number + 1,
    bInterfaceProtocol: 1,
    iInterface: 4,
    endpoints,
  };
}

/**
 * Configuration 1: interface 0 with interrupt IN 81h, interface 1 with bulk 82h and 02h. Configuration 2: interface 0
 * whose setting 1 is isochronous. Configuration 3: interfaces 0 (settings 0 and 2) and 2.
 * Control IN answers its own setup packet (8 bytes); request 99h stalls; OUT takes everything. 82h gives counting bytes as many as
 * are asked for, unless `isSilent`; 02h counts what comes.
 */
export class TwoModeDevice extends UsbDeviceModel {
  isSilent = false;
  bytesOut = 0;
  readonly requests: number[][] = [];

  constructor(plan: TwoModePlan = {}) {
    const header = { iConfiguration: 5, bmAttributes: 0x80, bMaxPower: 50 };
    const { bulk, interrupt, isochronous } = TransferType;
    super({
      speed: UsbSpeed.high,
      device: {
        bcdUSB: 0x0213,
        bDeviceClass: 7,
        bDeviceSubClass: 1,
        bDeviceProtocol: 2,
        bMaxPacketSize0: 64,
        idVendor: plan.vendor ?? 0x1209,
        idProduct: 0xf00d,
        bcdDevice: plan.release ?? 0x0123,
        iManufacturer: 1,
        iProduct: 2,
        iSerialNumber: plan.serial === undefined ? 0 : 3,
        bNumConfigurations: 3,
      },
      configurations: [
        encodeConfiguration({ ...header, bConfigurationValue: 1 }, [
          setting(0, 0, [endpoint(0x81, interrupt, 8)], plan.firstClass),
          setting(1, 0, [endpoint(0x82, bulk, 512), endpoint(0x02, bulk, 512)]),
        ]),
        encodeConfiguration({ ...header, bConfigurationValue: 2 }, [
          setting(0, 0, []),
          setting(0, 1, [endpoint(0x81, isochronous, 1024), endpoint(0x01, isochronous, 1024)]),
        ]),
        encodeConfiguration({ ...header, bConfigurationValue: 3 }, [
          setting(0, 0, []),
          setting(0, 2, [endpoint(0x83, bulk, 512)]),
          setting(2, 0, []),
        ]),
      ],
      strings: ["Drydock", "Two modes", plan.serial ?? "", "An interface", "A configuration"],
    });
  }

  protected override powerOn(): void {
    this.bytesOut = 0;
  }

  haltBulkIn(): void {
    this.halt(0x82);
  }

  protected override answerRequest(setup: Setup): Uint8Array | null | typeof answerLater {
    if (setup.bRequest === 0x99) return null;
    const { bmRequestType, bRequest, wValue, wIndex, wLength } = setup;
    return Uint8Array.of(
      bmRequestType,
      bRequest,
      wValue & 0xff,
      wValue >> 8,
      wIndex & 0xff,
      wIndex >> 8,
      wLength & 0xff,
      wLength >> 8,
    );
  }

  protected override performRequest(setup: Setup, data: Uint8Array): boolean {
    this.requests.push([setup.bmRequestType, setup.bRequest, setup.wValue, setup.wIndex, data.length]);
    return setup.bRequest !== 0x99;
  }

  protected override dataIn(endpoint: number, buffer: Uint8Array, offset: number, length: number): number {
    if (this.isSilent || endpoint === 0x83) return UsbNak;
    for (let index = 0; index < length; index++) buffer[offset + index] = index & 0xff;
    return length;
  }

  protected override dataOut(
    _endpoint: number,
    _buffer: Uint8Array,
    _offset: number,
    length: number,
  ): number {
    if (this.isSilent) return UsbNak;
    this.bytesOut += length;
    return length;
  }
}
