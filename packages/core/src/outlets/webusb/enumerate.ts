// Reads what a device says about itself: descriptors, strings, configuration in force. Hostile bytes are expected.

import { getU16le } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";
import { viewConfiguration } from "../../codec/usb/configuration-view.ts";
import {
  type Configuration,
  DescriptorType,
  type DeviceDescriptor,
  parseDeviceDescriptor,
  parseStringDescriptor,
} from "../../codec/usb/descriptors.ts";
import { directionIn, encodeSetup, StandardRequest } from "../../codec/usb/setup.ts";
import { UsbStatus } from "../../ports/usb-host.ts";
import type { PortRequests } from "./port-requests.ts";

export interface EnumeratedDevice {
  readonly device: DeviceDescriptor;
  /** Those that could be read and parsed. */
  readonly configurations: readonly Configuration[];
  /** The configuration in force; 0 when there is none. */
  readonly configurationValue: number;
  readonly strings: ReadonlyMap<number, string>;
  /** Device and configuration descriptors one after the other, to tell whether it is the same device after a reset. */
  readonly identity: Uint8Array;
  /** What was left out, and why. */
  readonly problems: readonly Error[];
}

interface Read {
  readonly setup: Uint8Array;
  readonly buffer: Uint8Array;
}

interface Answer {
  readonly status: UsbStatus;
  readonly bytes: Uint8Array;
}

/** Control requests one after the other, without a promise: all of it happens inside completions of the port. */
export function enumerate(
  requests: PortRequests,
  done: (found: EnumeratedDevice | null, problem: Error | null) => void,
): void {
  const steps = enumeration();
  const go = (answer: Answer): void => {
    let next: IteratorResult<Read, EnumeratedDevice>;
    try {
      next = steps.next(answer);
    } catch (error) {
      done(null, error as Error);
      return;
    }
    if (next.done) {
      done(next.value, null);
      return;
    }
    const { setup, buffer } = next.value;
    requests.control(setup, buffer, (status, count) => go({ status, bytes: buffer.subarray(0, count) }));
  };
  go({ status: UsbStatus.ok, bytes: new Uint8Array(0) });
}

type Steps<T> = Generator<Read, T, Answer>;

/** §The USBDevice Interface, "find a list of configuration descriptors for the connected USB device". */
function* enumeration(): Steps<EnumeratedDevice> {
  const deviceBytes = yield* descriptor(DescriptorType.device, 0, 0, 18);
  if (deviceBytes === null) throw new DecodeError("device descriptor", 0, "the device refused to give it");
  const device = parseDeviceDescriptor(deviceBytes);
  const problems: Error[] = [];
  const configurations: Configuration[] = [];
  const parts: Uint8Array[] = [deviceBytes];
  for (let index = 0; index < device.bNumConfigurations; index++) {
    try {
      const bytes = yield* configurationBytes(index);
      const { configuration, faults } = viewConfiguration(bytes);
      for (const { text, offset } of faults)
        problems.push(new DecodeError("configuration descriptor", offset, text));
      const { bConfigurationValue } = configuration.descriptor;
      if (
        bConfigurationValue === 0 ||
        configurations.some((other) => other.descriptor.bConfigurationValue === bConfigurationValue)
      ) {
        throw new DecodeError("configuration descriptor", 5, `value ${bConfigurationValue} cannot be chosen`);
      }
      for (const { number, settings } of configuration.interfaces) {
        if (settings.some(({ descriptor }) => descriptor.bAlternateSetting === 0)) continue;
        throw new DecodeError("configuration descriptor", 9, `interface ${number} has no setting 0`);
      }
      parts.push(bytes);
      configurations.push(configuration);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      problems.push(error);
    }
  }
  const current = yield* ask(0x80, StandardRequest.getConfiguration, 0, 0, 1);
  const strings = yield* readStrings(stringIndexes(device, configurations));
  return {
    device,
    configurations,
    configurationValue: current?.[0] ?? 0,
    strings,
    identity: Uint8Array.from(parts.flatMap((part) => [...part])),
    problems,
  };
}

function* configurationBytes(index: number): Steps<Uint8Array> {
  const subject = "configuration descriptor";
  const head = yield* descriptor(DescriptorType.configuration, index, 0, 9);
  if (head === null) throw new DecodeError(subject, 0, `the device refused to give number ${index}`);
  if (head.length < 4) throw new DecodeError(subject, head.length, `only ${head.length} bytes came`);
  const whole = yield* descriptor(DescriptorType.configuration, index, 0, Math.max(9, getU16le(head, 2)));
  if (whole === null) throw new DecodeError(subject, 0, `the device refused to give the whole of ${index}`);
  return whole;
}

function stringIndexes(device: DeviceDescriptor, configurations: readonly Configuration[]): Set<number> {
  const indexes = new Set([device.iManufacturer, device.iProduct, device.iSerialNumber]);
  for (const { descriptor, interfaces } of configurations) {
    indexes.add(descriptor.iConfiguration);
    for (const { settings } of interfaces)
      for (const setting of settings) indexes.add(setting.descriptor.iInterface);
  }
  indexes.delete(0);
  return indexes;
}

/** In the first language that the device lists. A string that cannot be had is left out. */
function* readStrings(indexes: ReadonlySet<number>): Steps<Map<number, string>> {
  const strings = new Map<number, string>();
  if (indexes.size === 0) return strings;
  const languages = yield* descriptor(DescriptorType.string, 0, 0, 255);
  if (languages === null || languages.length < 4) return strings;
  const language = getU16le(languages, 2);
  for (const index of indexes) {
    const bytes = yield* descriptor(DescriptorType.string, index, language, 255);
    if (bytes === null) continue;
    try {
      strings.set(index, parseStringDescriptor(bytes));
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
    }
  }
  return strings;
}

function descriptor(type: number, index: number, language: number, length: number): Steps<Uint8Array | null> {
  return ask(directionIn, StandardRequest.getDescriptor, (type << 8) | index, language, length);
}

/** Null when the device refused. Throws when it left. */
function* ask(
  bmRequestType: number,
  bRequest: number,
  wValue: number,
  wIndex: number,
  wLength: number,
): Steps<Uint8Array | null> {
  const setup = encodeSetup({ bmRequestType, bRequest, wValue, wIndex, wLength });
  const { status, bytes } = yield { setup, buffer: new Uint8Array(wLength) };
  if (status === UsbStatus.gone) throw new Error("the device left while it was read");
  return status === UsbStatus.ok ? bytes : null;
}
