// Configurations, interfaces, settings and endpoints as WebUSB shows them, with the state that changes in them.

import {
  type Configuration,
  type Endpoint,
  type InterfaceSetting,
  packetBytes,
  TransferType,
  type UsbInterface,
} from "../../codec/usb/descriptors.ts";
import { directionIn } from "../../codec/usb/setup.ts";
import type {
  USBAlternateInterface,
  USBConfiguration,
  USBDirection,
  USBEndpoint,
  USBEndpointType,
  USBInterface,
} from "../../ports/web-usb.ts";

import { webIdlMembers } from "../page-face.ts";

/** §The USBInterface Interface, "has a protected interface class". */
const protectedClasses: ReadonlySet<number> = new Set([0x01, 0x03, 0x08, 0x0b, 0x0e, 0x10, 0xe0]);

type Strings = ReadonlyMap<number, string>;

export class WebUsbEndpoint implements USBEndpoint {
  declare readonly endpointNumber: number;
  declare readonly direction: USBDirection;
  declare readonly type: USBEndpointType;
  declare readonly packetSize: number;
  /** With the direction bit. */
  readonly address: number;

  constructor({ descriptor }: Endpoint) {
    const { bEndpointAddress, bmAttributes, wMaxPacketSize } = descriptor;
    this.address = bEndpointAddress & 0x8f;
    this.endpointNumber = bEndpointAddress & 0x0f;
    this.direction = (bEndpointAddress & directionIn) !== 0 ? "in" : "out";
    const type = bmAttributes & 3;
    this.type =
      type === TransferType.isochronous
        ? "isochronous"
        : type === TransferType.interrupt
          ? "interrupt"
          : "bulk";
    // §The USBEndpoint Interface: with the packets per microframe of a high-bandwidth endpoint, USB 2.0 §9.6.6.
    this.packetSize = packetBytes(descriptor) * (this.type === "bulk" ? 1 : ((wMaxPacketSize >> 11) & 3) + 1);
  }
}

export class WebUsbAlternateInterface implements USBAlternateInterface {
  declare readonly alternateSetting: number;
  declare readonly interfaceClass: number;
  declare readonly interfaceSubclass: number;
  declare readonly interfaceProtocol: number;
  declare readonly interfaceName: string | null;
  declare readonly endpoints: readonly WebUsbEndpoint[];

  constructor({ descriptor, endpoints }: InterfaceSetting, strings: Strings) {
    this.alternateSetting = descriptor.bAlternateSetting;
    this.interfaceClass = descriptor.bInterfaceClass;
    this.interfaceSubclass = descriptor.bInterfaceSubClass;
    this.interfaceProtocol = descriptor.bInterfaceProtocol;
    this.interfaceName = strings.get(descriptor.iInterface) ?? null;
    // Constructor steps: endpoints of the control type are left out.
    this.endpoints = endpoints
      .filter((endpoint) => (endpoint.descriptor.bmAttributes & 3) !== TransferType.control)
      .map((endpoint) => new WebUsbEndpoint(endpoint));
  }
}

/** `isClaimed` and `selected` are the device's [[claimedInterface]] and [[selectedAlternateSetting]]. */
export class WebUsbInterface implements USBInterface {
  declare readonly interfaceNumber: number;
  declare readonly alternates: readonly WebUsbAlternateInterface[];
  readonly isProtected: boolean;
  isClaimed = false;
  selected = 0;

  constructor({ number, settings }: UsbInterface, strings: Strings) {
    this.interfaceNumber = number;
    this.alternates = settings.map((setting) => new WebUsbAlternateInterface(setting, strings));
    this.isProtected = this.alternates.some(({ interfaceClass }) => protectedClasses.has(interfaceClass));
  }

  get claimed(): boolean {
    return this.isClaimed;
  }

  /** §Attributes: setting 0 while it is not claimed. */
  get alternate(): WebUsbAlternateInterface {
    const wanted = this.isClaimed ? this.selected : 0;
    return alternateOf(this, wanted) ?? this.alternates[0];
  }
}

export function alternateOf(
  { alternates }: WebUsbInterface,
  alternateSetting: number,
): WebUsbAlternateInterface | null {
  return alternates.find((setting) => setting.alternateSetting === alternateSetting) ?? null;
}

export class WebUsbConfiguration implements USBConfiguration {
  declare readonly configurationValue: number;
  declare readonly configurationName: string | null;
  declare readonly interfaces: readonly WebUsbInterface[];

  constructor({ descriptor, interfaces }: Configuration, strings: Strings) {
    this.configurationValue = descriptor.bConfigurationValue;
    this.configurationName = strings.get(descriptor.iConfiguration) ?? null;
    this.interfaces = interfaces.map((entry) => new WebUsbInterface(entry, strings));
  }
}

export function interfaceOf(
  { interfaces }: WebUsbConfiguration,
  interfaceNumber: number,
): WebUsbInterface | null {
  return interfaces.find((entry) => entry.interfaceNumber === interfaceNumber) ?? null;
}

/** Nothing claimed, every interface at setting 0. */
export function beginConfiguration({ interfaces }: WebUsbConfiguration): void {
  for (const entry of interfaces) {
    entry.isClaimed = false;
    entry.selected = 0;
  }
}

webIdlMembers(WebUsbEndpoint, "USBEndpoint", ["endpointNumber", "direction", "type", "packetSize"]);
webIdlMembers(WebUsbAlternateInterface, "USBAlternateInterface", [
  "alternateSetting",
  "interfaceClass",
  "interfaceSubclass",
  "interfaceProtocol",
  "interfaceName",
  "endpoints",
]);
webIdlMembers(WebUsbInterface, "USBInterface", ["interfaceNumber", "alternates"]);
webIdlMembers(WebUsbConfiguration, "USBConfiguration", [
  "configurationValue",
  "configurationName",
  "interfaces",
]);
