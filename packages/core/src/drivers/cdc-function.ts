// How drivers of USB CDC functions look round: descriptors, interfaces, a setting that carries data.

import { type InterfaceSetting, type RawDescriptor, TransferType } from "../codec/usb/descriptors.ts";
import type { IOUSBHostDevice } from "../families/usb/io-usb-host-device.ts";
import type { IOUSBHostInterface } from "../families/usb/io-usb-host-interface.ts";

/** Functional descriptors stand after the interface; some devices put them after an endpoint. */
export function functionalDescriptors({ extra, endpoints }: InterfaceSetting): RawDescriptor[] {
  return [...extra, ...endpoints.flatMap((endpoint) => endpoint.extra)];
}

/** All interfaces of the configuration that is chosen. */
export function interfacesOf(device: IOUSBHostDevice): IOUSBHostInterface[] {
  const found: IOUSBHostInterface[] = [];
  const iterator = device.createInterfaceIterator();
  try {
    for (let next = device.copyInterface(iterator); next !== null; next = device.copyInterface(iterator))
      found.push(next);
  } finally {
    device.destroyInterfaceIterator(iterator);
  }
  return found;
}

/** Bulk in both directions: what a data interface has. */
export function hasBulkPair({ endpoints }: InterfaceSetting): boolean {
  const bulk = endpoints.filter(({ descriptor }) => (descriptor.bmAttributes & 3) === TransferType.bulk);
  return [0, 0x80].every((direction) =>
    bulk.some(({ descriptor }) => (descriptor.bEndpointAddress & 0x80) === direction),
  );
}
