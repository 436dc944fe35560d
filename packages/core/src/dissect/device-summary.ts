// What a USB device says about itself in all its descriptors together: ids, strings, interface types.

import { DecodeError } from "../base/errors.ts";
import {
  DescriptorType,
  parseConfiguration,
  parseDeviceDescriptor,
  parseStringDescriptor,
} from "../codec/usb/descriptors.ts";
import { RequestType, StandardRequest } from "../codec/usb/setup.ts";

export interface UsbDeviceSummary {
  readonly idVendor: number;
  readonly idProduct: number;
  readonly bDeviceClass: number;
  readonly name: string;
  readonly serial: string;
  /** Class, subclass, protocol of every setting of every configuration, in order: "08:06:50". */
  readonly interfaces: readonly string[];
}

/** Descriptors as GET_DESCRIPTOR brought them, by `descriptorKey` of the request; the longest answer to each. */
export type DescriptorAnswers = Map<string, Uint8Array>;

const typeMask = 0x60;

/** Of a request for a descriptor of the device; null for any other. SETUP bytes: USB 2.0 §9.3. */
export function descriptorKey(setup: Uint8Array): string | null {
  if (setup[0] !== 0x80 || setup[1] !== StandardRequest.getDescriptor) return null;
  return `${setup[3]} ${setup[2]}`;
}

export function isStandardRequest(setup: Uint8Array): boolean {
  return (setup[0] & typeMask) === RequestType.standard;
}

export function isSetConfiguration(setup: Uint8Array): boolean {
  return setup[0] === 0 && setup[1] === StandardRequest.setConfiguration;
}

export function keepAnswer(answers: DescriptorAnswers, key: string, data: Uint8Array): void {
  if (data.length > (answers.get(key)?.length ?? 0)) answers.set(key, data.slice());
}

/** Null until the device and all its configurations have been read. A descriptor that does not parse says nothing. */
export function summarizeDevice(answers: DescriptorAnswers): UsbDeviceSummary | null {
  const device = parsed(answers.get(`${DescriptorType.device} 0`), parseDeviceDescriptor);
  if (device === null) return null;
  const interfaces: string[] = [];
  for (let index = 0; index < device.bNumConfigurations; index++) {
    const bytes = answers.get(`${DescriptorType.configuration} ${index}`);
    // The nine bytes that are read first are not all of it.
    if (bytes === undefined || bytes.length <= 9 || bytes.length < (bytes[2] | (bytes[3] << 8))) return null;
    const configuration = parsed(bytes, parseConfiguration);
    for (const { settings } of configuration?.interfaces ?? [])
      for (const { descriptor } of settings) interfaces.push(interfaceType(descriptor));
  }
  const text = (index: number): string =>
    index === 0
      ? ""
      : (parsed(answers.get(`${DescriptorType.string} ${index}`), parseStringDescriptor) ?? "");
  return {
    idVendor: device.idVendor,
    idProduct: device.idProduct,
    bDeviceClass: device.bDeviceClass,
    name: text(device.iProduct),
    serial: text(device.iSerialNumber),
    interfaces,
  };
}

function interfaceType(descriptor: {
  readonly bInterfaceClass: number;
  readonly bInterfaceSubClass: number;
  readonly bInterfaceProtocol: number;
}): string {
  return [descriptor.bInterfaceClass, descriptor.bInterfaceSubClass, descriptor.bInterfaceProtocol]
    .map((value) => value.toString(16).padStart(2, "0"))
    .join(":");
}

function parsed<T>(bytes: Uint8Array | undefined, parse: (bytes: Uint8Array) => T): T | null {
  if (bytes === undefined) return null;
  try {
    return parse(bytes);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return null;
  }
}
