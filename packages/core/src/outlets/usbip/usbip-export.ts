// One attached device as USB/IP offers it: a name, a place in the list, and the device itself.

import { UsbSpeed } from "../../codec/usb/usb-speed.ts";
import type { UsbipListedDevice } from "../../codec/usbip/usbip.ts";
import type { UsbHostPort } from "../../ports/usb-host.ts";
import { LentUsbDevice, type UsbDescription } from "../lent-usb-device.ts";

/** Speeds as the protocol numbers them. */
const protocolSpeeds: Readonly<Record<UsbSpeed, number>> = {
  [UsbSpeed.none]: 0,
  [UsbSpeed.low]: 1,
  [UsbSpeed.full]: 2,
  [UsbSpeed.high]: 3,
  [UsbSpeed.super]: 5,
  [UsbSpeed.superPlus]: 6,
  [UsbSpeed.superPlusBy2]: 6,
};

/** Can be imported when it is `listed`, not busy and not gone. */
export class UsbipExport {
  readonly busId: string;
  readonly busNumber: number;
  readonly deviceNumber: number;
  readonly lent: LentUsbDevice;
  #listed: UsbipListedDevice | null = null;

  constructor(
    port: UsbHostPort,
    place: { busId: string; busNumber: number; deviceNumber: number },
    onReady: (self: UsbipExport, problem: string | null) => void,
    onGone: (self: UsbipExport) => void,
  ) {
    this.busId = place.busId;
    this.busNumber = place.busNumber;
    this.deviceNumber = place.deviceNumber;
    this.lent = new LentUsbDevice(port, {
      onReady: ({ description }, problem) => {
        if (description !== null) this.#listed = this.#describe(port, description);
        onReady(this, problem);
      },
      onGone: () => onGone(this),
    });
  }

  /** Null until the descriptors were read. */
  get listed(): UsbipListedDevice | null {
    return this.#listed;
  }

  /** Who asks for it now waits: it will be listed, or forgotten. */
  get isBeingRead(): boolean {
    return this.#listed === null && !this.lent.isGone;
  }

  /** As messages name it: bus number in the upper half. */
  get deviceId(): number {
    return ((this.busNumber << 16) | this.deviceNumber) >>> 0;
  }

  #describe(port: UsbHostPort, { device, configurations }: UsbDescription): UsbipListedDevice {
    const { interfaces } = configurations[0];
    return {
      device: {
        path: `/sys/devices/drydock/usb${this.busNumber}/${this.busId}`,
        busId: this.busId,
        busNumber: this.busNumber,
        deviceNumber: this.deviceNumber,
        speed: protocolSpeeds[port.speed],
        idVendor: device.idVendor,
        idProduct: device.idProduct,
        bcdDevice: device.bcdDevice,
        bDeviceClass: device.bDeviceClass,
        bDeviceSubClass: device.bDeviceSubClass,
        bDeviceProtocol: device.bDeviceProtocol,
        bConfigurationValue: 0,
        bNumConfigurations: device.bNumConfigurations,
        bNumInterfaces: interfaces.length,
      },
      interfaces: interfaces.map(({ settings }) => settings[0].descriptor),
    };
  }
}
