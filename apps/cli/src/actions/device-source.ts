// What a device says of itself, from what people have: its descriptors as bytes, `lsusb -v`, or a capture.

import { DecodeError } from "@drydock/core/base/errors";
import { looksLikePcap } from "@drydock/core/codec/pcapng/usb-capture";
import {
  DescriptorType,
  type DeviceDescriptor,
  encodeConfiguration,
  parseDeviceDescriptor,
  parseStringDescriptor,
  type SettingPlan,
} from "@drydock/core/codec/usb/descriptors";
import { type DescriptorAnswers, descriptorKey, keepAnswer } from "@drydock/core/dissect/device-summary";
import { readableLinkTypes, readUsbPcapng } from "@drydock/core/trace/usb-pcapng";
import { TraceKind } from "@drydock/core/trace/usb-trace-log";
import { UsageError } from "../terminal/usage-error.ts";

export interface DeviceSource {
  readonly device: DeviceDescriptor;
  readonly configurations: readonly Uint8Array[];
  /** Strings from index 1; "" where the source does not say. */
  readonly strings: readonly string[];
  /** Of the first interface of the first configuration. */
  readonly firstInterface: number;
}

const deviceBytes = 18;
const configurationHeaderBytes = 9;
const blockMagic = [0x0a, 0x0d, 0x0d, 0x0a];

/** UsageError with what is missing, and how to get it. */
export function readDeviceSource(bytes: Uint8Array): DeviceSource {
  try {
    if (bytes[0] === deviceBytes && bytes[1] === DescriptorType.device) return ofDescriptors(bytes);
    if (looksLikePcap(bytes) || blockMagic.every((byte, at) => bytes[at] === byte)) return ofCapture(bytes);
    const text = new TextDecoder().decode(bytes);
    if (/^\s*idVendor\s/m.test(text)) return ofListing(text);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new UsageError(`is damaged: ${error.message}`);
  }
  throw new UsageError(
    "is none of these: a device's descriptors as bytes (on Linux /sys/bus/usb/devices/*/descriptors), what lsusb -v prints, a USB capture",
  );
}

/** The device descriptor, then each configuration whole: as Linux's sysfs has them. */
function ofDescriptors(bytes: Uint8Array): DeviceSource {
  const configurations: Uint8Array[] = [];
  for (let at = deviceBytes; at + configurationHeaderBytes <= bytes.length; ) {
    const total = bytes[at + 2] | (bytes[at + 3] << 8);
    if (bytes[at + 1] !== DescriptorType.configuration || total < configurationHeaderBytes)
      throw new UsageError(`has no configuration descriptor at byte ${at}`);
    configurations.push(bytes.slice(at, at + total));
    at += total;
  }
  return source(parseDeviceDescriptor(bytes.subarray(0, deviceBytes)), configurations, new Map());
}

/** The device whose descriptors the capture has whole; of several the one with the most traffic. */
function ofCapture(bytes: Uint8Array): DeviceSource {
  const devices = new Map<number, { answers: DescriptorAnswers; packets: number }>();
  const asked = new Map<number, string>();
  const { log, skipped } = readUsbPcapng(bytes);
  for (const row of log.all()) {
    if (row.kind !== TraceKind.submit && row.kind !== TraceKind.complete) continue;
    const device = devices.get(row.device) ?? { answers: new Map(), packets: 0 };
    devices.set(row.device, device);
    device.packets++;
    const isSubmit = row.kind === TraceKind.submit;
    const key = isSubmit && row.setup !== null ? descriptorKey(row.setup) : null;
    const wanted = asked.get(row.id);
    if (key !== null) asked.set(row.id, key);
    else if (!isSubmit && wanted !== undefined) {
      asked.delete(row.id);
      keepAnswer(device.answers, wanted, row.data);
    }
  }
  if (devices.size === 0)
    throw new UsageError(
      skipped > 0
        ? `is no capture of USB that can be read: none of its ${skipped} packets has link type ${readableLinkTypes.join(", ")}`
        : "has no transfer of a device in it",
    );
  const isWhole = ({ answers }: { answers: DescriptorAnswers }) =>
    (answers.get(`${DescriptorType.device} 0`)?.length ?? 0) >= deviceBytes &&
    wholeConfigurations(answers).length > 0;
  const [best] = [...devices.values()].filter(isWhole).sort((a, b) => b.packets - a.packets);
  if (best === undefined)
    throw new UsageError(
      "has no device whose descriptors are read in it: begin the capture before the device is plugged in",
    );
  const { answers } = best;
  const device = parseDeviceDescriptor(answers.get(`${DescriptorType.device} 0`) ?? new Uint8Array(0));
  const strings = new Map<number, string>();
  for (const [key, data] of answers) {
    const [type, index] = key.split(" ").map(Number);
    if (type === DescriptorType.string && index > 0) strings.set(index, parseStringDescriptor(data));
  }
  return source(device, wholeConfigurations(answers), strings);
}

function wholeConfigurations(answers: DescriptorAnswers): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let index = 0; ; index++) {
    const bytes = answers.get(`${DescriptorType.configuration} ${index}`);
    if (bytes === undefined || bytes.length < configurationHeaderBytes) return found;
    const total = bytes[2] | (bytes[3] << 8);
    if (bytes.length < total) return found;
    found.push(bytes.slice(0, total));
  }
}

type Fields = Record<string, number>;

/** `lsusb -v`: the first device in it. What it prints in words only (class-specific descriptors) is not in the bytes. */
function ofListing(text: string): DeviceSource {
  const strings = new Map<number, string>();
  const device: Fields = {};
  const configurations: { header: Fields; settings: { fields: Fields; endpoints: Fields[] }[] }[] = [];
  let into: Fields | null = null;
  let devices = 0;
  for (const line of text.split("\n")) {
    const section = /^\s*(\w+) Descriptor:\s*$/.exec(line)?.[1];
    if (section === "Device") {
      if (++devices > 1) break;
      into = device;
    } else if (section === "Configuration") {
      configurations.push({ header: {}, settings: [] });
      into = configurations.at(-1)?.header ?? null;
    } else if (section === "Interface") {
      configurations.at(-1)?.settings.push({ fields: {}, endpoints: [] });
      into = configurations.at(-1)?.settings.at(-1)?.fields ?? null;
    } else if (section === "Endpoint") {
      configurations.at(-1)?.settings.at(-1)?.endpoints.push({});
      into = configurations.at(-1)?.settings.at(-1)?.endpoints.at(-1) ?? null;
    } else if (/^\s*[\w ()/-]+:\s*$/.test(line)) into = null;
    const [, name, value, rest] =
      /^\s*(bcdUSB|bcdDevice|b[A-Z]\w*|id[A-Z]\w*|i[A-Z]\w*|w[A-Z]\w*|bm[A-Z]\w*|MaxPower)\s+(\S+)\s*(.*)$/.exec(
        line,
      ) ?? [];
    if (into === null || name === undefined || value === undefined || into[name] !== undefined) continue;
    into[name] = name.startsWith("bcd")
      ? bcd(value)
      : Number.parseInt(value, value.startsWith("0x") ? 16 : 10);
    if (/^i[A-Z]/.test(name) && into[name] > 0 && rest !== "") strings.set(into[name], rest.trim());
  }
  const of = (fields: Fields, name: string): number => {
    const value = fields[name];
    if (value === undefined || Number.isNaN(value))
      throw new UsageError(`does not say ${name}: lsusb needs -v, and for some fields a person with rights`);
    return value;
  };
  const found: DeviceDescriptor = {
    bcdUSB: of(device, "bcdUSB"),
    bDeviceClass: of(device, "bDeviceClass"),
    bDeviceSubClass: of(device, "bDeviceSubClass"),
    bDeviceProtocol: of(device, "bDeviceProtocol"),
    bMaxPacketSize0: of(device, "bMaxPacketSize0"),
    idVendor: of(device, "idVendor"),
    idProduct: of(device, "idProduct"),
    bcdDevice: of(device, "bcdDevice"),
    iManufacturer: device.iManufacturer ?? 0,
    iProduct: device.iProduct ?? 0,
    iSerialNumber: device.iSerial ?? 0,
    bNumConfigurations: configurations.length,
  };
  const setting = ({ fields, endpoints }: { fields: Fields; endpoints: Fields[] }): SettingPlan => ({
    bInterfaceNumber: of(fields, "bInterfaceNumber"),
    bAlternateSetting: of(fields, "bAlternateSetting"),
    bInterfaceClass: of(fields, "bInterfaceClass"),
    bInterfaceSubClass: of(fields, "bInterfaceSubClass"),
    bInterfaceProtocol: of(fields, "bInterfaceProtocol"),
    iInterface: fields.iInterface ?? 0,
    endpoints: endpoints.map((endpoint) => ({
      bEndpointAddress: of(endpoint, "bEndpointAddress"),
      bmAttributes: of(endpoint, "bmAttributes"),
      wMaxPacketSize: of(endpoint, "wMaxPacketSize"),
      bInterval: of(endpoint, "bInterval"),
    })),
  });
  const encoded = configurations.map(({ header, settings }) =>
    encodeConfiguration(
      {
        bConfigurationValue: of(header, "bConfigurationValue"),
        iConfiguration: header.iConfiguration ?? 0,
        bmAttributes: of(header, "bmAttributes"),
        bMaxPower: (header.MaxPower ?? 100) >> 1,
      },
      settings.map(setting),
    ),
  );
  return source(found, encoded, strings);
}

/** "2.10" is 0210h. */
function bcd(text: string): number {
  const [whole = "0", part = "0"] = text.split(".");
  return (Number.parseInt(whole, 16) << 8) | Number.parseInt(part.padEnd(2, "0").slice(0, 2), 16);
}

function source(
  device: DeviceDescriptor,
  configurations: readonly Uint8Array[],
  named: ReadonlyMap<number, string>,
): DeviceSource {
  const [first] = configurations;
  if (first === undefined) throw new UsageError("has no configuration of the device");
  const most = Math.max(device.iManufacturer, device.iProduct, device.iSerialNumber, ...named.keys(), 0);
  const strings = Array.from({ length: most }, (_, at) => named.get(at + 1) ?? "");
  let firstInterface = 0;
  for (let at = 0; at + 3 <= first.length && first[at] >= 2; at += first[at]) {
    if (first[at + 1] !== DescriptorType.interface) continue;
    firstInterface = first[at + 2];
    break;
  }
  return {
    device: { ...device, bNumConfigurations: configurations.length },
    configurations,
    strings,
    firstInterface,
  };
}
