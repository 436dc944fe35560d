// USB descriptors: bytes to values and back. Universal Serial Bus Specification 2.0 chapter 9; 3.2 chapter 9.6.

import { ByteReader, putU16le, putU32le } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";
import { decodeUtf16le, encodeUtf16le } from "../../base/text.ts";

/** Descriptor types: USB 2.0 table 9-5, USB 3.2 table 9-6. */
export const DescriptorType = {
  device: 1,
  configuration: 2,
  string: 3,
  interface: 4,
  endpoint: 5,
  deviceQualifier: 6,
  otherSpeed: 7,
  interfaceAssociation: 11,
  bos: 15,
  deviceCapability: 16,
  classSpecificInterface: 0x24,
  classSpecificEndpoint: 0x25,
  superSpeedCompanion: 48,
} as const;

/** bmAttributes of an endpoint, bits 1..0: table 9-13. */
export const TransferType = { control: 0, isochronous: 1, bulk: 2, interrupt: 3 } as const;

/** Table 9-8. */
export interface DeviceDescriptor {
  bcdUSB: number;
  bDeviceClass: number;
  bDeviceSubClass: number;
  bDeviceProtocol: number;
  bMaxPacketSize0: number;
  idVendor: number;
  idProduct: number;
  bcdDevice: number;
  iManufacturer: number;
  iProduct: number;
  iSerialNumber: number;
  bNumConfigurations: number;
}

/** Table 9-10, without the two fields that follow from the content. */
export interface ConfigurationHeader {
  bConfigurationValue: number;
  iConfiguration: number;
  bmAttributes: number;
  /** In units of 2 mA (8 mA at SuperSpeed). */
  bMaxPower: number;
}

/** Table 9-12. */
export interface InterfaceDescriptor {
  bInterfaceNumber: number;
  bAlternateSetting: number;
  bNumEndpoints: number;
  bInterfaceClass: number;
  bInterfaceSubClass: number;
  bInterfaceProtocol: number;
  iInterface: number;
}

/** Table 9-13. */
export interface EndpointDescriptor {
  bEndpointAddress: number;
  bmAttributes: number;
  wMaxPacketSize: number;
  bInterval: number;
}

/** Interface Association, USB 3.2 §9.6.4. */
export interface InterfaceAssociation {
  bFirstInterface: number;
  bInterfaceCount: number;
  bFunctionClass: number;
  bFunctionSubClass: number;
  bFunctionProtocol: number;
  iFunction: number;
}

/** SuperSpeed Endpoint Companion, USB 3.2 §9.6.7. */
export interface EndpointCompanion {
  bMaxBurst: number;
  bmAttributes: number;
  wBytesPerInterval: number;
}

/** A descriptor that this file does not take apart: class-specific ones mostly. */
export interface RawDescriptor {
  readonly type: number;
  /** All bytes, header included. */
  readonly bytes: Uint8Array;
  /** Where it begins in what was parsed. */
  readonly offset: number;
}

export interface Endpoint {
  readonly descriptor: EndpointDescriptor;
  readonly companion: EndpointCompanion | null;
  readonly extra: readonly RawDescriptor[];
}

/** One alternate setting of an interface. */
export interface InterfaceSetting {
  readonly descriptor: InterfaceDescriptor;
  readonly endpoints: readonly Endpoint[];
  readonly extra: readonly RawDescriptor[];
}

export interface UsbInterface {
  readonly number: number;
  /** In the order of the descriptors; at least one. */
  readonly settings: readonly InterfaceSetting[];
}

export interface Configuration {
  readonly descriptor: ConfigurationHeader;
  readonly interfaces: readonly UsbInterface[];
  readonly associations: readonly InterfaceAssociation[];
  readonly extra: readonly RawDescriptor[];
}

/** Reads the two-byte header and checks type and least length; the reader stands after the header. */
function openDescriptor(bytes: Uint8Array, subject: string, type: number, least: number): ByteReader {
  const reader = new ByteReader(bytes, subject);
  const length = reader.u8("bLength");
  const found = reader.u8("bDescriptorType");
  if (found !== type) reader.fail(`bDescriptorType is ${found}, expected ${type}`, 1);
  if (length < least) reader.fail(`bLength is ${length}, expected at least ${least}`, 0);
  if (bytes.length < length)
    reader.fail(`bLength is ${length} but only ${bytes.length} bytes came`, bytes.length);
  return reader;
}

/** §9.6.1. Throws DecodeError. */
export function parseDeviceDescriptor(bytes: Uint8Array): DeviceDescriptor {
  const reader = openDescriptor(bytes, "device descriptor", DescriptorType.device, 18);
  return {
    bcdUSB: reader.u16le("bcdUSB"),
    bDeviceClass: reader.u8("bDeviceClass"),
    bDeviceSubClass: reader.u8("bDeviceSubClass"),
    bDeviceProtocol: reader.u8("bDeviceProtocol"),
    bMaxPacketSize0: reader.u8("bMaxPacketSize0"),
    idVendor: reader.u16le("idVendor"),
    idProduct: reader.u16le("idProduct"),
    bcdDevice: reader.u16le("bcdDevice"),
    iManufacturer: reader.u8("iManufacturer"),
    iProduct: reader.u8("iProduct"),
    iSerialNumber: reader.u8("iSerialNumber"),
    bNumConfigurations: reader.u8("bNumConfigurations"),
  };
}

export function encodeDeviceDescriptor(value: DeviceDescriptor): Uint8Array {
  const bytes = new Uint8Array(18);
  bytes[0] = 18;
  bytes[1] = DescriptorType.device;
  putU16le(bytes, 2, value.bcdUSB);
  bytes[4] = value.bDeviceClass;
  bytes[5] = value.bDeviceSubClass;
  bytes[6] = value.bDeviceProtocol;
  bytes[7] = value.bMaxPacketSize0;
  putU16le(bytes, 8, value.idVendor);
  putU16le(bytes, 10, value.idProduct);
  putU16le(bytes, 12, value.bcdDevice);
  bytes[14] = value.iManufacturer;
  bytes[15] = value.iProduct;
  bytes[16] = value.iSerialNumber;
  bytes[17] = value.bNumConfigurations;
  return bytes;
}

/** Device_Qualifier, §9.6.2: what a device would be at the other speed. */
export function encodeDeviceQualifier(value: DeviceDescriptor): Uint8Array {
  const bytes = new Uint8Array(10);
  bytes[0] = 10;
  bytes[1] = DescriptorType.deviceQualifier;
  putU16le(bytes, 2, value.bcdUSB);
  bytes[4] = value.bDeviceClass;
  bytes[5] = value.bDeviceSubClass;
  bytes[6] = value.bDeviceProtocol;
  bytes[7] = value.bMaxPacketSize0;
  bytes[8] = value.bNumConfigurations;
  return bytes;
}

/**
 * The descriptors that follow each other in `bytes`, as far as they are well formed: stops at the end, at a bLength
 * below 2, and at one that runs over the end. Never throws. For looking at hostile or cut input.
 */
export function* walkDescriptors(bytes: Uint8Array, start = 0): Generator<RawDescriptor> {
  let offset = start;
  while (offset + 2 <= bytes.length) {
    const length = bytes[offset];
    if (length < 2 || offset + length > bytes.length) return;
    yield { type: bytes[offset + 1], bytes: bytes.slice(offset, offset + length), offset };
    offset += length;
  }
}

interface OpenSetting {
  descriptor: InterfaceDescriptor;
  endpoints: {
    descriptor: EndpointDescriptor;
    companion: EndpointCompanion | null;
    extra: RawDescriptor[];
  }[];
  extra: RawDescriptor[];
}

/**
 * A whole configuration, §9.6.3 with everything that follows it. Strict: every descriptor must lie inside
 * wTotalLength, endpoints must follow an interface and be as many as bNumEndpoints says, and no address may occur twice
 * in a setting. Throws DecodeError with the offset.
 */
export function parseConfiguration(bytes: Uint8Array): Configuration {
  const subject = "configuration descriptor";
  const reader = openDescriptor(bytes, subject, DescriptorType.configuration, 9);
  const total = reader.u16le("wTotalLength");
  const interfaceCount = reader.u8("bNumInterfaces");
  const descriptor: ConfigurationHeader = {
    bConfigurationValue: reader.u8("bConfigurationValue"),
    iConfiguration: reader.u8("iConfiguration"),
    bmAttributes: reader.u8("bmAttributes"),
    bMaxPower: reader.u8("bMaxPower"),
  };
  if (total > bytes.length) reader.fail(`wTotalLength is ${total} but only ${bytes.length} bytes came`, 2);
  if (total < bytes[0]) reader.fail(`wTotalLength is ${total}, less than the header itself`, 2);
  const settings: OpenSetting[] = [];
  const associations: InterfaceAssociation[] = [];
  const extra: RawDescriptor[] = [];
  let offset = bytes[0];
  while (offset < total) {
    const length = bytes[offset];
    if (length < 2) throw new DecodeError(subject, offset, `a descriptor has bLength ${length}`);
    if (offset + length > total) {
      throw new DecodeError(
        subject,
        offset,
        `a descriptor of ${length} bytes runs over wTotalLength ${total}`,
      );
    }
    addDescriptor(bytes, offset, length, settings, associations, extra);
    offset += length;
  }
  for (const setting of settings) {
    if (setting.endpoints.length !== setting.descriptor.bNumEndpoints) {
      const { bInterfaceNumber, bAlternateSetting, bNumEndpoints } = setting.descriptor;
      const place = `interface ${bInterfaceNumber} alternate ${bAlternateSetting}`;
      throw new DecodeError(
        subject,
        total,
        `${place} promises ${bNumEndpoints} endpoints, ${setting.endpoints.length} follow`,
      );
    }
  }
  const interfaces = groupSettings(settings);
  if (interfaces.length !== interfaceCount) {
    throw new DecodeError(subject, 4, `bNumInterfaces is ${interfaceCount}, ${interfaces.length} follow`);
  }
  return { descriptor, interfaces, associations, extra };
}

function addDescriptor(
  bytes: Uint8Array,
  offset: number,
  length: number,
  settings: OpenSetting[],
  associations: InterfaceAssociation[],
  extra: RawDescriptor[],
): void {
  const subject = "configuration descriptor";
  const type = bytes[offset + 1];
  const reader = new ByteReader(bytes, subject, offset + 2, offset + length);
  const setting = settings.at(-1);
  const endpoint = setting?.endpoints.at(-1);
  if (type === DescriptorType.interface) {
    settings.push({ descriptor: readInterface(reader), endpoints: [], extra: [] });
    return;
  }
  if (type === DescriptorType.endpoint) {
    if (setting === undefined) throw new DecodeError(subject, offset, "an endpoint before any interface");
    const read = readEndpoint(reader);
    if (setting.endpoints.some((other) => other.descriptor.bEndpointAddress === read.bEndpointAddress)) {
      throw new DecodeError(
        subject,
        offset,
        `endpoint 0x${read.bEndpointAddress.toString(16)} occurs twice in a setting`,
      );
    }
    setting.endpoints.push({ descriptor: read, companion: null, extra: [] });
    return;
  }
  if (type === DescriptorType.interfaceAssociation) {
    associations.push({
      bFirstInterface: reader.u8("bFirstInterface"),
      bInterfaceCount: reader.u8("bInterfaceCount"),
      bFunctionClass: reader.u8("bFunctionClass"),
      bFunctionSubClass: reader.u8("bFunctionSubClass"),
      bFunctionProtocol: reader.u8("bFunctionProtocol"),
      iFunction: reader.u8("iFunction"),
    });
    return;
  }
  if (type === DescriptorType.superSpeedCompanion && endpoint !== undefined) {
    endpoint.companion = {
      bMaxBurst: reader.u8("bMaxBurst"),
      bmAttributes: reader.u8("bmAttributes"),
      wBytesPerInterval: reader.u16le("wBytesPerInterval"),
    };
    return;
  }
  if (type === DescriptorType.configuration || type === DescriptorType.device) {
    throw new DecodeError(subject, offset, `a descriptor of type ${type} inside a configuration`);
  }
  const raw: RawDescriptor = { type, bytes: bytes.slice(offset, offset + length), offset };
  (endpoint?.extra ?? setting?.extra ?? extra).push(raw);
}

function readInterface(reader: ByteReader): InterfaceDescriptor {
  return {
    bInterfaceNumber: reader.u8("bInterfaceNumber"),
    bAlternateSetting: reader.u8("bAlternateSetting"),
    bNumEndpoints: reader.u8("bNumEndpoints"),
    bInterfaceClass: reader.u8("bInterfaceClass"),
    bInterfaceSubClass: reader.u8("bInterfaceSubClass"),
    bInterfaceProtocol: reader.u8("bInterfaceProtocol"),
    iInterface: reader.u8("iInterface"),
  };
}

function readEndpoint(reader: ByteReader): EndpointDescriptor {
  const at = reader.offset;
  const endpoint = {
    bEndpointAddress: reader.u8("bEndpointAddress"),
    bmAttributes: reader.u8("bmAttributes"),
    wMaxPacketSize: reader.u16le("wMaxPacketSize"),
    bInterval: reader.u8("bInterval"),
  };
  if ((endpoint.bEndpointAddress & 0x0f) === 0) reader.fail("endpoint number 0 is the control endpoint", at);
  if ((endpoint.wMaxPacketSize & 0x7ff) === 0) reader.fail("wMaxPacketSize is 0", at + 2);
  return endpoint;
}

function groupSettings(settings: readonly OpenSetting[]): UsbInterface[] {
  const interfaces = new Map<number, OpenSetting[]>();
  for (const setting of settings) {
    const { bInterfaceNumber } = setting.descriptor;
    const group = interfaces.get(bInterfaceNumber);
    if (group === undefined) interfaces.set(bInterfaceNumber, [setting]);
    else group.push(setting);
  }
  return [...interfaces].map(([number, group]) => ({ number, settings: group }));
}

/** What a device model states of one alternate setting; counts and lengths are computed. */
export interface SettingPlan {
  readonly bInterfaceNumber: number;
  readonly bAlternateSetting?: number;
  readonly bInterfaceClass: number;
  readonly bInterfaceSubClass: number;
  readonly bInterfaceProtocol: number;
  readonly iInterface?: number;
  /** Class-specific descriptors, whole, right after the interface. */
  readonly extra?: readonly Uint8Array[];
  /** `extra`: class-specific descriptors, whole, after the endpoint and its companion. */
  readonly endpoints: readonly (EndpointDescriptor & {
    readonly companion?: EndpointCompanion;
    /** Audio class 1.0 §4.6.1.1: two more bytes of the endpoint itself. */
    readonly audio?: { readonly bRefresh: number; readonly bSynchAddress: number };
    readonly extra?: readonly Uint8Array[];
  })[];
}

/** Builds a configuration from plans, in the order given. `associations` go before their first interface. */
export function encodeConfiguration(
  header: ConfigurationHeader,
  settings: readonly SettingPlan[],
  associations: readonly InterfaceAssociation[] = [],
): Uint8Array {
  const parts: number[] = [9, DescriptorType.configuration, 0, 0];
  const numbers = new Set(settings.map((setting) => setting.bInterfaceNumber));
  parts.push(
    numbers.size,
    header.bConfigurationValue,
    header.iConfiguration,
    header.bmAttributes,
    header.bMaxPower,
  );
  const announced = new Set<InterfaceAssociation>();
  for (const setting of settings) {
    for (const group of associations) {
      if (group.bFirstInterface !== setting.bInterfaceNumber || announced.has(group)) continue;
      announced.add(group);
      parts.push(8, DescriptorType.interfaceAssociation, group.bFirstInterface, group.bInterfaceCount);
      parts.push(group.bFunctionClass, group.bFunctionSubClass, group.bFunctionProtocol, group.iFunction);
    }
    parts.push(9, DescriptorType.interface, setting.bInterfaceNumber, setting.bAlternateSetting ?? 0);
    parts.push(setting.endpoints.length, setting.bInterfaceClass, setting.bInterfaceSubClass);
    parts.push(setting.bInterfaceProtocol, setting.iInterface ?? 0);
    for (const extra of setting.extra ?? []) parts.push(...extra);
    for (const endpoint of setting.endpoints) {
      const { audio, companion } = endpoint;
      const bytes = audio === undefined ? 7 : 9;
      parts.push(bytes, DescriptorType.endpoint, endpoint.bEndpointAddress, endpoint.bmAttributes);
      parts.push(endpoint.wMaxPacketSize & 0xff, endpoint.wMaxPacketSize >> 8, endpoint.bInterval);
      if (audio !== undefined) parts.push(audio.bRefresh, audio.bSynchAddress);
      if (companion !== undefined) {
        parts.push(6, DescriptorType.superSpeedCompanion, companion.bMaxBurst, companion.bmAttributes);
        parts.push(companion.wBytesPerInterval & 0xff, companion.wBytesPerInterval >> 8);
      }
      for (const extra of endpoint.extra ?? []) parts.push(...extra);
    }
  }
  const bytes = Uint8Array.from(parts);
  putU16le(bytes, 2, bytes.length);
  return bytes;
}

/** §9.6.7: UTF-16LE after the header; at most 126 characters. Longer text is cut. */
export function encodeStringDescriptor(text: string): Uint8Array {
  const content = encodeUtf16le(text.slice(0, 126));
  const bytes = new Uint8Array(2 + content.length);
  bytes[0] = bytes.length;
  bytes[1] = DescriptorType.string;
  bytes.set(content, 2);
  return bytes;
}

/** String index 0: the language identifiers the device speaks. */
export function encodeLanguages(languages: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(2 + languages.length * 2);
  bytes[0] = bytes.length;
  bytes[1] = DescriptorType.string;
  languages.forEach((language, index) => {
    putU16le(bytes, 2 + index * 2, language);
  });
  return bytes;
}

/** Throws DecodeError; an odd length is refused. */
export function parseStringDescriptor(bytes: Uint8Array): string {
  const reader = openDescriptor(bytes, "string descriptor", DescriptorType.string, 2);
  if (bytes[0] % 2 !== 0) reader.fail(`bLength ${bytes[0]} is odd`, 0);
  return decodeUtf16le(bytes.subarray(2, bytes[0]));
}

/** One capability of a BOS: USB 3.2 §9.6.2. */
export interface DeviceCapability {
  /** 2 USB 2.0 extension, 3 SuperSpeed, 4 container id, 5 platform ... */
  readonly capabilityType: number;
  /** Bytes after the three-byte header. */
  readonly content: Uint8Array;
}

export function encodeBos(capabilities: readonly DeviceCapability[]): Uint8Array {
  const total = capabilities.reduce((sum, capability) => sum + 3 + capability.content.length, 5);
  const bytes = new Uint8Array(total);
  bytes[0] = 5;
  bytes[1] = DescriptorType.bos;
  putU16le(bytes, 2, total);
  bytes[4] = capabilities.length;
  let at = 5;
  for (const { capabilityType, content } of capabilities) {
    bytes[at] = 3 + content.length;
    bytes[at + 1] = DescriptorType.deviceCapability;
    bytes[at + 2] = capabilityType;
    bytes.set(content, at + 3);
    at += 3 + content.length;
  }
  return bytes;
}

/** Throws DecodeError with the offset of the first capability that does not fit. */
export function parseBos(bytes: Uint8Array): DeviceCapability[] {
  const reader = openDescriptor(bytes, "BOS descriptor", DescriptorType.bos, 5);
  const total = reader.u16le("wTotalLength");
  const count = reader.u8("bNumDeviceCaps");
  if (total > bytes.length) reader.fail(`wTotalLength is ${total} but only ${bytes.length} bytes came`, 2);
  const capabilities: DeviceCapability[] = [];
  let at = bytes[0];
  for (let index = 0; index < count; index++) {
    const length = at < total ? bytes[at] : 0;
    if (length < 3 || at + length > total)
      reader.fail(`capability ${index} has bLength ${length}`, Math.min(at, total));
    if (bytes[at + 1] !== DescriptorType.deviceCapability)
      reader.fail(`capability ${index} has another type`, at + 1);
    capabilities.push({ capabilityType: bytes[at + 2], content: bytes.slice(at + 3, at + length) });
    at += length;
  }
  return capabilities;
}

/** Content of a USB 2.0 Extension capability: bit 1 of the attributes is LPM. USB 3.2 §9.6.2.1. */
export function usb2Extension(linkPowerManagement: boolean): DeviceCapability {
  const content = new Uint8Array(4);
  putU32le(content, 0, linkPowerManagement ? 2 : 0);
  return { capabilityType: 2, content };
}

/** Bytes per packet without the high-bandwidth multiplier. */
export function packetBytes(endpoint: EndpointDescriptor): number {
  return endpoint.wMaxPacketSize & 0x7ff;
}

/** Stream numbers run from 1; 65534 and 65535 mean "no stream" and "prime" (USB 3.2 §8.12.1.4). */
export const bulkStreamMaximum = 65_533;

/**
 * Streams that a bulk endpoint has, by its companion's bmAttributes: 2^MaxStreams (USB 3.2 §9.6.7), of which those beyond
 * the last number cannot be used; 0 when it has none or says more than the standard lets it.
 */
export function streamsOf(companionAttributes: number): number {
  const exponent = companionAttributes & 0x1f;
  return exponent === 0 || exponent > 16 ? 0 : Math.min(2 ** exponent, bulkStreamMaximum);
}
