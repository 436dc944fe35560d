// What Apple's families publish of a device: the property tables of nubs, from what the device says of itself.

import { putU32le } from "../base/bytes.ts";
import { hex } from "../base/text.ts";
import type { ConfigHeader } from "../codec/pci/config-space.ts";
import type { ConfigurationHeader, DeviceDescriptor, InterfaceDescriptor } from "../codec/usb/descriptors.ts";
import type { Properties } from "./properties.ts";

/** The entitlements that the kernel demands of a dext before it may attach (posts.md T2). */
export const usbEntitlement = [["com.apple.developer.driverkit.transport.usb"]];
const pciEntitlement = [["com.apple.developer.driverkit.transport.pci"]];

/** Strings of a device; "" where it has none. */
export interface UsbStrings {
  readonly product: string;
  readonly vendor: string;
  readonly serial: string;
}

/** Of an IOUSBHostDevice: what descriptors say, without the place on a bus. */
export function usbDeviceProperties(descriptor: DeviceDescriptor, strings: UsbStrings): Properties {
  const { product, vendor, serial } = strings;
  return {
    IOServiceDEXTEntitlements: usbEntitlement,
    idVendor: descriptor.idVendor,
    idProduct: descriptor.idProduct,
    bcdDevice: descriptor.bcdDevice,
    bcdUSB: descriptor.bcdUSB,
    bDeviceClass: descriptor.bDeviceClass,
    bDeviceSubClass: descriptor.bDeviceSubClass,
    bDeviceProtocol: descriptor.bDeviceProtocol,
    bMaxPacketSize0: descriptor.bMaxPacketSize0,
    bNumConfigurations: descriptor.bNumConfigurations,
    ...(product === "" ? {} : { kUSBProductString: product }),
    ...(vendor === "" ? {} : { kUSBVendorString: vendor }),
    ...(serial === "" ? {} : { kUSBSerialNumberString: serial }),
  };
}

/** Of an IOUSBHostInterface, in the setting that it begins with. */
export function usbInterfaceProperties(
  device: DeviceDescriptor,
  { bConfigurationValue }: ConfigurationHeader,
  descriptor: InterfaceDescriptor,
): Properties {
  return {
    IOServiceDEXTEntitlements: usbEntitlement,
    idVendor: device.idVendor,
    idProduct: device.idProduct,
    bcdDevice: device.bcdDevice,
    bConfigurationValue,
    bInterfaceNumber: descriptor.bInterfaceNumber,
    bAlternateSetting: descriptor.bAlternateSetting,
    bInterfaceClass: descriptor.bInterfaceClass,
    bInterfaceSubClass: descriptor.bInterfaceSubClass,
    bInterfaceProtocol: descriptor.bInterfaceProtocol,
    bNumEndpoints: descriptor.bNumEndpoints,
  };
}

/** Of an IOPCIDevice: what its configuration header says, without its place and its memory. */
export function pciDeviceProperties(header: ConfigHeader): Properties {
  const data = (value: number): Uint8Array => {
    const bytes = new Uint8Array(4);
    putU32le(bytes, 0, value);
    return bytes;
  };
  return {
    IOServiceDEXTEntitlements: pciEntitlement,
    "vendor-id": data(header.vendorId),
    "device-id": data(header.deviceId),
    "class-code": data(header.classCode),
    "revision-id": data(header.revision),
    "subsystem-vendor-id": data(header.subsystemVendorId),
    "subsystem-id": data(header.subsystemId),
    IOName: pciName(header),
  };
}

/** "pci1b36,10": the name of a function that firmware gave no other. */
export function pciName({ vendorId, deviceId }: ConfigHeader): string {
  return `pci${hex(vendorId)},${hex(deviceId)}`;
}

/** Of a logical unit: what INQUIRY says (SPC-4 §6.4.2), without number and interconnect. */
export function scsiUnitProperties(identity: {
  readonly peripheralType: number;
  readonly vendor: string;
  readonly product: string;
  readonly revision: string;
  readonly isRemovable: boolean;
}): Properties {
  return {
    "Peripheral Device Type": identity.peripheralType,
    "Vendor Identification": identity.vendor,
    "Product Identification": identity.product,
    "Product Revision Level": identity.revision,
    "Removable Media": identity.isRemovable,
  };
}
