// By what a USB disk is known again after a reset: its connector, and who it says it is.

import { type DeviceMemory, deviceMemory } from "../../families/scsi/device-memory.ts";
import type { IOUSBHostInterface } from "../../families/usb/io-usb-host-interface.ts";
import type { ServiceContext } from "../../runtime/service.ts";

export function rememberedDevice(usb: IOUSBHostInterface, kernel: ServiceContext["kernel"]): DeviceMemory {
  const device = usb.copyDevice();
  const { bcdDevice, idProduct, idVendor } = device.deviceDescriptor;
  const key = [device.location, idVendor, idProduct, bcdDevice, usb.number].join(":");
  return deviceMemory(kernel.scheduler, key);
}
