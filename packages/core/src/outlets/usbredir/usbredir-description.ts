// What a usbredir guest is told of a device: its identity, its interfaces, its endpoints.

import { TransferType } from "../../codec/usb/descriptors.ts";
import { UsbSpeed } from "../../codec/usb/usb-speed.ts";
import { UsbredirSpeed, usbredirEndpointIndex } from "../../codec/usbredir/usbredir.ts";
import type {
  UsbredirDeviceConnect,
  UsbredirEndpoint,
  UsbredirEndpointInfo,
  UsbredirInterfaceInfo,
} from "../../codec/usbredir/usbredir-messages.ts";
import type { UsbEndpointTable } from "../../dissect/usb-endpoints.ts";
import type { UsbDescription } from "../lent-usb-device.ts";

const protocolSpeeds: Readonly<Record<UsbSpeed, number>> = {
  [UsbSpeed.none]: UsbredirSpeed.unknown,
  [UsbSpeed.low]: UsbredirSpeed.low,
  [UsbSpeed.full]: UsbredirSpeed.full,
  [UsbSpeed.high]: UsbredirSpeed.high,
  [UsbSpeed.super]: UsbredirSpeed.super,
  // The protocol knows nothing faster.
  [UsbSpeed.superPlus]: UsbredirSpeed.super,
  [UsbSpeed.superPlusBy2]: UsbredirSpeed.super,
};

export function describeConnect(speed: UsbSpeed, { device }: UsbDescription): UsbredirDeviceConnect {
  return {
    kind: "deviceConnect",
    speed: protocolSpeeds[speed],
    deviceClass: device.bDeviceClass,
    subclass: device.bDeviceSubClass,
    protocol: device.bDeviceProtocol,
    vendor: device.idVendor,
    product: device.idProduct,
    deviceVersion: device.bcdDevice,
  };
}

/**
 * The interfaces in force. A device that is not configured yet shows those of its first configuration, so that a
 * guest's filter by class has something to go by.
 */
export function describeInterfaces(
  table: UsbEndpointTable,
  { configurations }: UsbDescription,
): UsbredirInterfaceInfo {
  const settings =
    table.configuration === null
      ? configurations[0].interfaces.map((entry) => entry.settings[0])
      : [...table.settings()];
  return {
    kind: "interfaceInfo",
    interfaces: settings.map(({ descriptor }) => ({
      number: descriptor.bInterfaceNumber,
      interfaceClass: descriptor.bInterfaceClass,
      subclass: descriptor.bInterfaceSubClass,
      protocol: descriptor.bInterfaceProtocol,
    })),
  };
}

/** Endpoint 0 and the endpoints in force. */
export function describeEndpoints(
  speed: UsbSpeed,
  table: UsbEndpointTable,
  { device }: UsbDescription,
): UsbredirEndpointInfo {
  const endpoints = new Array<UsbredirEndpoint | null>(32).fill(null);
  // USB 3.2 §9.6.1: an exponent at SuperSpeed.
  const packetBytes = speed >= UsbSpeed.super ? 2 ** (device.bMaxPacketSize0 & 15) : device.bMaxPacketSize0;
  const control = { type: TransferType.control, interval: 0, interface: 0, packetBytes, streams: 0 };
  endpoints[usbredirEndpointIndex(0x00)] = control;
  endpoints[usbredirEndpointIndex(0x80)] = control;
  for (const descriptor of table.endpoints()) {
    const address = descriptor.bEndpointAddress;
    endpoints[usbredirEndpointIndex(address)] = {
      type: descriptor.bmAttributes & 3,
      interval: descriptor.bInterval,
      interface: table.interfaceOf(address),
      packetBytes: descriptor.wMaxPacketSize,
      streams: speed >= UsbSpeed.super ? table.streamsOf(address) : 0,
    };
  }
  return { kind: "endpointInfo", endpoints };
}
