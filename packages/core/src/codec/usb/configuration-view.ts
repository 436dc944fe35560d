// A configuration as far as it can be read: what lenient hosts make of wrong descriptors, with every fault by name.

import { getU16le } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";
import {
  type Configuration,
  DescriptorType,
  type Endpoint,
  type EndpointCompanion,
  type InterfaceAssociation,
  type InterfaceSetting,
  packetBytes,
  type RawDescriptor,
} from "./descriptors.ts";
import { UsbSpeed } from "./usb-speed.ts";

/** What is wrong with a configuration; docs/wrong-descriptors.md says what each host makes of it. */
export type DescriptorFaultKind =
  | "total-too-large"
  | "total-too-small"
  | "broken-length"
  | "interface-count"
  | "endpoint-count"
  | "duplicate-endpoint"
  | "endpoint-zero"
  | "short-endpoint"
  | "short-interface"
  | "packet-size-zero"
  | "packet-size-too-large"
  | "endpoint-before-interface"
  | "duplicate-setting"
  | "no-setting-zero"
  | "unexpected-descriptor";

export interface DescriptorFault {
  readonly kind: DescriptorFaultKind;
  /** Where in the bytes that came. */
  readonly offset: number;
  /** What was found, and what was made of it. */
  readonly text: string;
}

export interface ConfigurationView {
  readonly configuration: Configuration;
  readonly faults: readonly DescriptorFault[];
}

interface OpenSetting extends InterfaceSetting {
  readonly endpoints: (Endpoint & { companion: EndpointCompanion | null; extra: RawDescriptor[] })[];
  readonly extra: RawDescriptor[];
  readonly offset: number;
}

/** The most that bulk, interrupt and control endpoints may have at each speed: USB 2.0 §5.5.3, §5.7.3, §5.8.3. */
function largestPacket(speed: UsbSpeed, type: number): number {
  if (speed === UsbSpeed.low) return 8;
  if (type === 1) return speed === UsbSpeed.full ? 1023 : 1024;
  if (speed === UsbSpeed.full) return 64;
  return type === 3 && speed === UsbSpeed.high ? 1024 : speed === UsbSpeed.high ? 512 : 1024;
}

/**
 * Judges nothing and stops nowhere it can go on, as Linux's hosts do: the rest behind a broken length is left out, a second
 * endpoint of one address is left out, counts that do not fit are taken for what follows. Throws DecodeError only for
 * bytes that do not begin with a configuration descriptor. With a `speed`, packet sizes are judged too.
 */
export function viewConfiguration(bytes: Uint8Array, speed: UsbSpeed | null = null): ConfigurationView {
  const subject = "configuration descriptor";
  if (bytes.length < 9) throw new DecodeError(subject, bytes.length, `only ${bytes.length} of 9 bytes came`);
  if (bytes[1] !== DescriptorType.configuration || bytes[0] < 9)
    throw new DecodeError(subject, 0, `type ${bytes[1]} and length ${bytes[0]} are no configuration's`);
  const view = new Reader(bytes, speed).read();
  sources.set(view.configuration, bytes.slice());
  return view;
}

/** What configurations were read from. */
const sources = new WeakMap<Configuration, Uint8Array>();

/** The bytes that `viewConfiguration` read, as the device sent them; null for a configuration that was made otherwise. */
export function configurationBytes(configuration: Configuration): Uint8Array | null {
  return sources.get(configuration) ?? null;
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #speed: UsbSpeed | null;
  readonly #faults: DescriptorFault[] = [];
  readonly #settings: OpenSetting[] = [];
  readonly #associations: InterfaceAssociation[] = [];
  readonly #extra: RawDescriptor[] = [];
  /** Endpoints that were left out, so that their companions are too. */
  #isEndpointLeftOut = false;

  constructor(bytes: Uint8Array, speed: UsbSpeed | null) {
    this.#bytes = bytes;
    this.#speed = speed;
  }

  read(): ConfigurationView {
    const bytes = this.#bytes;
    const total = getU16le(bytes, 2);
    if (total > bytes.length)
      this.#fault(
        "total-too-large",
        2,
        `wTotalLength is ${total}, ${bytes.length} bytes came: taken as they are`,
      );
    const end = Math.min(Math.max(total, bytes[0]), bytes.length);
    if (total < bytes[0]) this.#fault("total-too-small", 2, `wTotalLength is ${total}, less than the header`);
    for (let at = bytes[0]; at < end; ) {
      const length = bytes[at];
      if (length < 2 || at + length > end) {
        const why = length < 2 ? `bLength is ${length}` : `bLength ${length} runs over the end at ${end}`;
        this.#fault("broken-length", at, `${why}: the rest is left out`);
        break;
      }
      this.#take(at, length);
      at += length;
    }
    const interfaces = this.#group();
    const count = bytes[4];
    if (count !== interfaces.length) {
      const text = `bNumInterfaces is ${count}, ${interfaces.length} follow: taken as they follow`;
      this.#fault("interface-count", 4, text);
    }
    const descriptor = {
      bConfigurationValue: bytes[5],
      iConfiguration: bytes[6],
      bmAttributes: bytes[7],
      bMaxPower: bytes[8],
    };
    const configuration = { descriptor, interfaces, associations: this.#associations, extra: this.#extra };
    return { configuration, faults: this.#faults };
  }

  #fault(kind: DescriptorFaultKind, offset: number, text: string): void {
    this.#faults.push({ kind, offset, text });
  }

  #take(at: number, length: number): void {
    const bytes = this.#bytes;
    const type = bytes[at + 1];
    const setting = this.#settings.at(-1);
    const endpoint = setting?.endpoints.at(-1);
    if (type === DescriptorType.interface) this.#takeInterface(at, length);
    else if (type === DescriptorType.endpoint) this.#takeEndpoint(at, length, setting);
    else if (type === DescriptorType.interfaceAssociation && length >= 8) {
      const [
        bFirstInterface,
        bInterfaceCount,
        bFunctionClass,
        bFunctionSubClass,
        bFunctionProtocol,
        iFunction,
      ] = bytes.subarray(at + 2, at + 8);
      this.#associations.push({
        bFirstInterface,
        bInterfaceCount,
        bFunctionClass,
        bFunctionSubClass,
        bFunctionProtocol,
        iFunction,
      });
    } else if (type === DescriptorType.superSpeedCompanion && length >= 6 && endpoint !== undefined) {
      if (this.#isEndpointLeftOut) return;
      endpoint.companion = {
        bMaxBurst: bytes[at + 2],
        bmAttributes: bytes[at + 3],
        wBytesPerInterval: getU16le(bytes, at + 4),
      };
    } else if (type === DescriptorType.configuration || type === DescriptorType.device)
      this.#fault("unexpected-descriptor", at, `a descriptor of type ${type} inside: left out`);
    else {
      const raw: RawDescriptor = { type, bytes: bytes.slice(at, at + length), offset: at };
      (endpoint?.extra ?? setting?.extra ?? this.#extra).push(raw);
    }
  }

  #takeInterface(at: number, length: number): void {
    if (length < 9) {
      this.#fault("short-interface", at, `an interface descriptor of ${length} bytes: left out`);
      return;
    }
    const [
      bInterfaceNumber,
      bAlternateSetting,
      bNumEndpoints,
      bInterfaceClass,
      bInterfaceSubClass,
      bInterfaceProtocol,
      iInterface,
    ] = this.#bytes.subarray(at + 2, at + 9);
    const descriptor = {
      bInterfaceNumber,
      bAlternateSetting,
      bNumEndpoints,
      bInterfaceClass,
      bInterfaceSubClass,
      bInterfaceProtocol,
      iInterface,
    };
    this.#settings.push({ descriptor, endpoints: [], extra: [], offset: at });
  }

  #takeEndpoint(at: number, length: number, setting: OpenSetting | undefined): void {
    this.#isEndpointLeftOut = true;
    if (setting === undefined) {
      this.#fault("endpoint-before-interface", at, "an endpoint before any interface: left out");
      return;
    }
    if (length < 7) {
      this.#fault("short-endpoint", at, `an endpoint descriptor of ${length} bytes: left out`);
      return;
    }
    const bytes = this.#bytes;
    const descriptor = {
      bEndpointAddress: bytes[at + 2],
      bmAttributes: bytes[at + 3],
      wMaxPacketSize: getU16le(bytes, at + 4),
      bInterval: bytes[at + 6],
    };
    const name = `endpoint 0x${descriptor.bEndpointAddress.toString(16).padStart(2, "0")}`;
    if ((descriptor.bEndpointAddress & 0x0f) === 0) {
      this.#fault("endpoint-zero", at + 2, `${name} is the control endpoint's number: left out`);
      return;
    }
    if (
      setting.endpoints.some((other) => other.descriptor.bEndpointAddress === descriptor.bEndpointAddress)
    ) {
      this.#fault("duplicate-endpoint", at, `${name} occurs twice in a setting: the second is left out`);
      return;
    }
    if (packetBytes(descriptor) === 0) {
      const isIsochronous = (descriptor.bmAttributes & 3) === 1;
      // USB 2.0 §5.6.3: isochronous endpoints of setting 0 have no bandwidth.
      if (!isIsochronous || setting.descriptor.bAlternateSetting !== 0)
        this.#fault(
          "packet-size-zero",
          at + 4,
          `${name} has wMaxPacketSize 0 and can carry nothing: left out`,
        );
      return;
    }
    if (this.#speed !== null) {
      const most = largestPacket(this.#speed, descriptor.bmAttributes & 3);
      if (packetBytes(descriptor) > most) {
        const found = packetBytes(descriptor);
        this.#fault(
          "packet-size-too-large",
          at + 4,
          `${name} has packets of ${found} bytes: taken for ${most}`,
        );
        descriptor.wMaxPacketSize = most;
      }
    }
    this.#isEndpointLeftOut = false;
    setting.endpoints.push({ descriptor, companion: null, extra: [] });
  }

  #group(): Configuration["interfaces"] {
    const groups = new Map<number, OpenSetting[]>();
    for (const setting of this.#settings) {
      const { bInterfaceNumber, bAlternateSetting, bNumEndpoints } = setting.descriptor;
      const place = `interface ${bInterfaceNumber} setting ${bAlternateSetting}`;
      const group = groups.get(bInterfaceNumber) ?? [];
      groups.set(bInterfaceNumber, group);
      if (group.some((other) => other.descriptor.bAlternateSetting === bAlternateSetting)) {
        this.#fault("duplicate-setting", setting.offset, `${place} occurs twice: the second is left out`);
        continue;
      }
      const isSaid = this.#faults.some(
        ({ kind, offset }) =>
          offset > setting.offset && kind !== "endpoint-count" && kind !== "total-too-large",
      );
      if (setting.endpoints.length !== bNumEndpoints && !isSaid) {
        const text = `${place} promises ${bNumEndpoints} endpoints, ${setting.endpoints.length} follow: taken as they follow`;
        this.#fault("endpoint-count", setting.offset + 4, text);
      }
      setting.descriptor.bNumEndpoints = setting.endpoints.length;
      group.push(setting);
    }
    for (const [number, group] of groups) {
      if (group.some(({ descriptor }) => descriptor.bAlternateSetting === 0)) continue;
      this.#fault(
        "no-setting-zero",
        group[0].offset,
        `interface ${number} has no setting 0: it begins with its first`,
      );
    }
    return [...groups].map(([number, settings]) => ({ number, settings }));
  }
}
