// Descriptors of the classes' own examples, and faults to plant in them, for our judge and for a Linux guest.

import { bytesFromHex } from "@drydock/core/base/text";
import { DescriptorType, walkDescriptors } from "@drydock/core/codec/usb/descriptors";
import { UsbSpeed } from "@drydock/core/codec/usb/usb-speed";
import type { GivenDescriptor } from "../descriptors/descriptor-set.ts";
import type { FaultKind } from "../descriptors/fault.ts";

type Numbers = readonly number[];
const device = (version: number, cls: Numbers, size: number): Numbers => [
  18,
  1,
  version & 0xff,
  version >> 8,
  ...cls,
  size,
  0x09,
  0x12,
  1,
  0,
  0,
  1,
  1,
  2,
  0,
  1,
];
const config = (interfaces: number, ...parts: readonly Numbers[]): Numbers => {
  const body = parts.flat();
  const total = 9 + body.length;
  return [9, 2, total & 0xff, total >> 8, interfaces, 1, 0, 0x80, 50, ...body];
};
const iface = (number: number, alternate: number, endpoints: number, cls: Numbers): Numbers => [
  9,
  4,
  number,
  alternate,
  endpoints,
  ...cls,
  0,
];
const endpoint = (address: number, type: number, size: number, interval = 0): Numbers => [
  7,
  5,
  address,
  type,
  size & 0xff,
  size >> 8,
  interval,
];
const iad = (first: number, count: number, cls: Numbers): Numbers => [8, 11, first, count, ...cls, 0];
const companion = (burst: number, attributes: number, perInterval: number): Numbers => [
  6,
  0x30,
  burst,
  attributes,
  perInterval & 0xff,
  perInterval >> 8,
];

/** HID 1.11, appendices E.1 to E.4 and E.6 to E.8: a keyboard and a mouse. */
const hidClass = (reportBytes: number): Numbers => [9, 0x21, 0x11, 0x01, 0, 1, 0x22, reportBytes, 0];
const keyboardReport = [
  ...bytesFromHex(
    "05 01 09 06 a1 01 05 07 19 e0 29 e7 15 00 25 01 75 01 95 08 81 02 95 01 75 08 81 01 95 05 75 01 05 08 19 01 29 05 91 02 95 01 75 03 91 01 95 06 75 08 15 00 25 65 05 07 19 00 29 65 81 00 c0",
  ),
];
const mouseReport = [
  ...bytesFromHex(
    "05 01 09 02 a1 01 09 01 a1 00 05 09 19 01 29 03 15 00 25 01 95 03 75 01 81 02 95 01 75 05 81 01 05 01 09 30 09 31 15 81 25 7f 75 08 95 02 81 06 c0 c0",
  ),
];

/** A device whose descriptors nobody can find fault with. */
export interface Example {
  readonly speed: UsbSpeed | null;
  readonly device: Numbers;
  readonly configuration: Numbers;
  readonly reports?: readonly (readonly [number, Numbers])[];
}

/** CDC 1.2 §5.2.3 and PSTN 1.2's example of an ACM modem, as a function of a composite device. */
const acm = (control: number, data: number): readonly Numbers[] => [
  iface(control, 0, 1, [2, 2, 1]),
  [5, 0x24, 0, 0x10, 1],
  [5, 0x24, 1, 0, data],
  [4, 0x24, 2, 2],
  [5, 0x24, 6, control, data],
  endpoint(0x83, 3, 16, 10),
  iface(data, 0, 2, [10, 0, 0]),
  endpoint(0x81, 2, 64),
  endpoint(0x02, 2, 64),
];
export const examples = {
  keyboard: {
    speed: UsbSpeed.full,
    device: device(0x0200, [0, 0, 0], 8),
    configuration: config(1, iface(0, 0, 1, [3, 1, 1]), hidClass(63), endpoint(0x81, 3, 8, 10)),
    reports: [[0, keyboardReport]],
  },
  "keyboard and mouse": {
    speed: null,
    device: device(0x0110, [0, 0, 0], 8),
    configuration: config(
      2,
      iface(0, 0, 1, [3, 1, 1]),
      hidClass(63),
      endpoint(0x81, 3, 8, 10),
      iface(1, 0, 1, [3, 1, 2]),
      hidClass(50),
      endpoint(0x82, 3, 4, 10),
    ),
    reports: [
      [0, keyboardReport],
      [1, mouseReport],
    ],
  },
  "disk at high speed": {
    speed: UsbSpeed.high,
    device: device(0x0200, [0, 0, 0], 64),
    configuration: config(1, iface(0, 0, 2, [8, 6, 0x50]), endpoint(0x81, 2, 512), endpoint(0x02, 2, 512)),
  },
  "UAS disk at SuperSpeed": {
    speed: UsbSpeed.super,
    device: device(0x0320, [0, 0, 0], 9),
    configuration: config(
      1,
      iface(0, 0, 2, [8, 6, 0x50]),
      endpoint(0x81, 2, 1024),
      companion(15, 0, 0),
      endpoint(0x02, 2, 1024),
      companion(15, 0, 0),
      iface(0, 1, 4, [8, 6, 0x62]),
      endpoint(0x04, 2, 1024),
      companion(0, 0, 0),
      [4, 0x24, 1, 0],
      endpoint(0x83, 2, 1024),
      companion(0, 4, 0),
      [4, 0x24, 2, 0],
      endpoint(0x81, 2, 1024),
      companion(15, 4, 0),
      [4, 0x24, 3, 0],
      endpoint(0x02, 2, 1024),
      companion(15, 4, 0),
      [4, 0x24, 4, 0],
    ),
  },
  modem: {
    speed: UsbSpeed.full,
    device: device(0x0200, [0xef, 2, 1], 64),
    configuration: config(2, iad(0, 2, [2, 2, 1]), ...acm(0, 1)),
  },
  "NCM adapter": {
    speed: UsbSpeed.high,
    device: device(0x0200, [2, 0, 0], 64),
    configuration: config(
      2,
      iface(0, 0, 1, [2, 0x0d, 0]),
      [5, 0x24, 0, 0x10, 1],
      [5, 0x24, 6, 0, 1],
      [13, 0x24, 0x0f, 4, 0, 0, 0, 0, 0xea, 5, 0, 0, 0],
      [6, 0x24, 0x1a, 0, 1, 0],
      endpoint(0x83, 3, 16, 9),
      iface(1, 0, 0, [10, 0, 1]),
      iface(1, 1, 2, [10, 0, 1]),
      endpoint(0x81, 2, 512),
      endpoint(0x02, 2, 512),
    ),
  },
  "ECM adapter": {
    speed: UsbSpeed.full,
    device: device(0x0200, [2, 0, 0], 64),
    configuration: config(
      2,
      iface(0, 0, 1, [2, 6, 0]),
      [5, 0x24, 0, 0x10, 1],
      [5, 0x24, 6, 0, 1],
      [13, 0x24, 0x0f, 4, 0, 0, 0, 0, 0xea, 5, 0, 0, 0],
      endpoint(0x83, 3, 16, 32),
      iface(1, 0, 0, [10, 0, 0]),
      iface(1, 1, 2, [10, 0, 0]),
      endpoint(0x81, 2, 64),
      endpoint(0x02, 2, 64),
    ),
  },
  /** Audio 1.0, appendix B: a microphone. */
  microphone: {
    speed: UsbSpeed.full,
    device: device(0x0110, [0, 0, 0], 8),
    configuration: config(
      2,
      iface(0, 0, 0, [1, 1, 0]),
      [9, 0x24, 1, 0, 1, 30, 0, 1, 1],
      [12, 0x24, 2, 1, 1, 2, 0, 1, 0, 0, 0, 0],
      [9, 0x24, 3, 2, 1, 1, 0, 1, 0],
      iface(1, 0, 0, [1, 2, 0]),
      iface(1, 1, 1, [1, 2, 0]),
      [7, 0x24, 1, 2, 1, 1, 0],
      [11, 0x24, 2, 1, 1, 2, 16, 1, 0x40, 0x1f, 0],
      [9, 5, 0x82, 1, 16, 0, 1, 0, 0],
      [7, 0x25, 1, 0, 0, 0, 0],
    ),
  },
} satisfies Record<string, Example>;

export function givenOf({ configuration, device: own, reports = [] }: Example): GivenDescriptor[] {
  return [
    { role: "device", bytes: Uint8Array.from(own) },
    { role: "configuration", bytes: Uint8Array.from(configuration) },
    ...reports.map(
      ([interfaceNumber, bytes]): GivenDescriptor => ({
        role: "report",
        interfaceNumber,
        bytes: Uint8Array.from(bytes),
      }),
    ),
  ];
}

/** The n-th descriptor of a type in a configuration. */
function nth(configuration: Numbers, type: number, which: number): number {
  const found = [...walkDescriptors(Uint8Array.from(configuration))].filter((raw) => raw.type === type);
  return found[which].offset;
}

export interface Planted {
  readonly of: keyof typeof examples;
  readonly what: string;
  readonly role?: GivenDescriptor["role"];
  /** Changes the bytes, and says where the fault then lies. */
  readonly plant: (bytes: number[]) => number;
  readonly kind: FaultKind;
}

const set =
  (at: number, ...values: number[]) =>
  (bytes: number[]): number => {
    bytes.splice(at, values.length, ...values);
    return at;
  };
/** Changes a byte of the n-th descriptor of a type. */
const inNth =
  (type: number, which: number, field: number, ...values: number[]) =>
  (bytes: number[]): number => {
    const at = nth(bytes, type, which) + field;
    bytes.splice(at, values.length, ...values);
    return at;
  };
/** Takes the n-th descriptor of a type out, with a right total; the fault lies at `at` of what is left. */
const without =
  (type: number, which: number, at: (bytes: number[]) => number) =>
  (bytes: number[]): number => {
    const from = nth(bytes, type, which);
    bytes.splice(from, bytes[from]);
    total(bytes);
    return at(bytes);
  };
const total = (bytes: number[]): void => {
  bytes[2] = bytes.length & 0xff;
  bytes[3] = bytes.length >> 8;
};
const at =
  (type: number, which: number, field = 0) =>
  (bytes: number[]): number =>
    nth(bytes, type, which) + field;
const {
  configuration: _,
  endpoint: E,
  interface: I,
  interfaceAssociation: A,
  superSpeedCompanion: S,
} = DescriptorType;
const every = Object.keys(examples) as (keyof typeof examples)[];
const ofAll = (planted: Omit<Planted, "of">, names: readonly (keyof typeof examples)[] = every): Planted[] =>
  names.map((of) => ({ ...planted, of }));
const withHid = ["keyboard", "keyboard and mouse"] as const;
const withCdc = ["modem", "NCM adapter", "ECM adapter"] as const;

export const planted: readonly Planted[] = [
  ...ofAll({
    what: "a total of 40 bytes more",
    plant: (bytes) => set(2, (bytes[2] + 40) & 0xff)(bytes),
    kind: "total-too-large",
  }),
  ...ofAll({
    what: "an interface more in the count",
    plant: (bytes) => set(4, bytes[4] + 1)(bytes),
    kind: "interface-count",
  }),
  ...ofAll({
    what: "an endpoint more in the count",
    plant: (bytes) => inNth(I, 0, 4, bytes[nth(bytes, I, 0) + 4] + 1)(bytes),
    kind: "endpoint-count",
  }),
  ...ofAll({ what: "value 0", plant: set(5, 0), kind: "configuration-value-zero" }),
  ...ofAll({ what: "attributes without bit 7", plant: set(7, 0x40), kind: "attributes-reserved" }),
  ...ofAll({
    what: "a device descriptor of 17 bytes",
    role: "device",
    plant: set(0, 17),
    kind: "device-length",
  }),
  ...ofAll({ what: "no configuration", role: "device", plant: set(17, 0), kind: "no-configuration" }),
  ...ofAll({
    what: "packets of 12 bytes on endpoint 0",
    role: "device",
    plant: set(7, 12),
    kind: "control-packet-size",
  }),
  ...ofAll({
    what: "a version with a digit above 9",
    role: "device",
    plant: set(12, 0x1a),
    kind: "bcd-digits",
  }),
  ...ofAll({
    what: "reserved bits of an address",
    plant: (bytes) => inNth(E, 0, 2, bytes[nth(bytes, E, 0) + 2] | 0x10)(bytes),
    kind: "endpoint-address-reserved",
  }),
  ...ofAll({ what: "endpoint number 0", plant: inNth(E, 0, 2, 0x80), kind: "endpoint-zero" }),
  ...ofAll({
    what: "a last descriptor that runs over the end",
    plant: (bytes) => {
      const from = bytes.length;
      bytes.push(9, 4, 7);
      total(bytes);
      return from;
    },
    kind: "broken-length",
  }),
  ...ofAll(
    { what: "500 mA taken for 250", plant: set(8, 251), kind: "power-too-much" },
    every.filter((name) => name !== "UAS disk at SuperSpeed"),
  ),
  { of: "UAS disk at SuperSpeed", what: "more than 900 mA", plant: set(8, 120), kind: "power-too-much" },
  { of: "keyboard", what: "an interval of 0", plant: inNth(E, 0, 6, 0), kind: "interval-out-of-range" },
  {
    of: "NCM adapter",
    what: "milliseconds at high speed",
    plant: inNth(E, 0, 6, 32),
    kind: "interval-out-of-range",
  },
  {
    of: "microphone",
    what: "an isochronous interval of 20",
    plant: inNth(E, 0, 6, 20),
    kind: "interval-out-of-range",
  },
  {
    of: "disk at high speed",
    what: "bulk packets of 64 bytes",
    plant: inNth(E, 0, 4, 64, 0),
    kind: "packet-size-not-of-speed",
  },
  {
    of: "modem",
    what: "bulk packets of 48 bytes",
    plant: inNth(E, 1, 4, 48, 0),
    kind: "packet-size-not-of-speed",
  },
  {
    of: "modem",
    what: "bulk packets of 512 bytes at full speed",
    plant: inNth(E, 1, 4, 0, 2),
    kind: "packet-size-too-large",
  },
  {
    of: "UAS disk at SuperSpeed",
    what: "bulk packets of 512 bytes",
    plant: inNth(E, 0, 4, 0, 2),
    kind: "packet-size-not-of-speed",
  },
  { of: "modem", what: "bulk packets of no bytes", plant: inNth(E, 1, 4, 0, 0), kind: "packet-size-zero" },
  {
    of: "disk at high speed",
    what: "a bulk endpoint with more packets a microframe",
    plant: inNth(E, 0, 4, 0, 0x0a),
    kind: "packet-size-reserved",
  },
  {
    of: "modem",
    what: "two endpoints of one address",
    plant: (bytes) => inNth(E, 2, 2, 0x81)(bytes) - 2,
    kind: "duplicate-endpoint",
  },
  {
    of: "modem",
    what: "reserved bits of attributes",
    plant: inNth(E, 1, 3, 0x42),
    kind: "endpoint-attributes-reserved",
  },
  {
    of: "modem",
    what: "the second interface is number 4",
    plant: (bytes) => {
      inNth(I, 1, 2, 4)(bytes);
      return nth(bytes, I, 1) + 2;
    },
    kind: "interface-number",
  },
  {
    of: "NCM adapter",
    what: "one setting twice",
    plant: (bytes) => inNth(I, 2, 3, 0)(bytes) - 3,
    kind: "duplicate-setting",
  },
  {
    of: "UAS disk at SuperSpeed",
    what: "the first companion is missing",
    plant: without(S, 0, at(E, 0)),
    kind: "companion-missing",
  },
  {
    of: "UAS disk at SuperSpeed",
    what: "a burst of 17 packets",
    plant: inNth(S, 0, 2, 16),
    kind: "companion-values",
  },
  {
    of: "UAS disk at SuperSpeed",
    what: "bytes per interval of a bulk endpoint",
    plant: inNth(S, 1, 4, 1, 0),
    kind: "companion-values",
  },
  {
    of: "UAS disk at SuperSpeed",
    what: "64 bytes on endpoint 0",
    role: "device",
    plant: set(7, 64),
    kind: "control-packet-size",
  },
  {
    of: "UAS disk at SuperSpeed",
    what: "a pipe without its usage",
    plant: without(0x24, 1, at(E, 3)),
    kind: "uas-pipe-usage",
  },
  {
    of: "modem",
    what: "an association that is not announced",
    role: "device",
    plant: (bytes) => set(4, 0, 0, 0)(bytes),
    kind: "association-not-announced",
  },
  {
    of: "modem",
    what: "an association of three",
    plant: (bytes) => {
      inNth(A, 0, 3, 3)(bytes);
      return nth(bytes, A, 0) + 2;
    },
    kind: "association-range",
  },
  {
    of: "modem",
    what: "a device descriptor inside",
    plant: (bytes) => {
      const from = nth(bytes, I, 1);
      bytes.splice(from, 0, ...examples.modem.device);
      total(bytes);
      return from;
    },
    kind: "unexpected-descriptor",
  },
  {
    of: "modem",
    what: "an endpoint before any interface",
    plant: (bytes) => {
      bytes.splice(9, 0, ...endpoint(0x84, 2, 64));
      total(bytes);
      return 9;
    },
    kind: "endpoint-before-interface",
  },
  {
    of: "modem",
    what: "a data interface that begins with setting 1",
    plant: (bytes) => inNth(I, 1, 3, 1)(bytes) - 3,
    kind: "no-setting-zero",
  },
  {
    of: "modem",
    what: "an endpoint of six bytes",
    plant: (bytes) => {
      const from = nth(bytes, E, 2);
      bytes.splice(from + 6, 1);
      bytes[from] = 6;
      total(bytes);
      return from;
    },
    kind: "short-endpoint",
  },
  {
    of: "modem",
    what: "an interface of eight bytes",
    plant: (bytes) => {
      const from = nth(bytes, I, 1);
      bytes.splice(from + 8, 1);
      bytes[from] = 8;
      total(bytes);
      return from;
    },
    kind: "short-interface",
  },
  ...ofAll(
    { what: "no HID descriptor", plant: without(0x21, 0, at(I, 0)), kind: "hid-descriptor-missing" },
    withHid,
  ),
  ...ofAll(
    {
      what: "no endpoint",
      plant: (bytes) => {
        const from = nth(bytes, E, 0);
        bytes.splice(from, 7);
        bytes[nth(bytes, I, 0) + 4] = 0;
        total(bytes);
        return nth(bytes, I, 0);
      },
      kind: "hid-no-interrupt-in",
    },
    withHid,
  ),
  ...ofAll(
    {
      what: "two descriptors promised by a HID descriptor of one",
      plant: (bytes) => {
        inNth(0x21, 0, 5, 2)(bytes);
        return nth(bytes, 0x21, 0);
      },
      kind: "hid-descriptor-length",
    },
    withHid,
  ),
  ...ofAll(
    { what: "a report descriptor of 0 bytes", plant: inNth(0x21, 0, 7, 0, 0), kind: "hid-no-report" },
    withHid,
  ),
  ...ofAll(
    { what: "64 bytes promised", plant: inNth(0x21, 0, 7, 64, 0), kind: "hid-report-length" },
    withHid,
  ),
  { of: "keyboard", what: "boot protocol 3", plant: inNth(I, 0, 7, 3), kind: "hid-boot-protocol" },
  {
    of: "disk at high speed",
    what: "two bulk endpoints out",
    plant: (bytes) => {
      inNth(E, 0, 2, 0x01)(bytes);
      return nth(bytes, I, 0) + 4;
    },
    kind: "storage-endpoints",
  },
  ...ofAll({ what: "no header", plant: without(0x24, 0, at(I, 0)), kind: "cdc-header-missing" }, withCdc),
  ...ofAll(
    {
      what: "the union is another interface's",
      plant: (bytes) => {
        const which = bytes.length > 70 ? -1 : 0;
        const from =
          [...walkDescriptors(Uint8Array.from(bytes))].find((raw) => raw.type === 0x24 && raw.bytes[2] === 6)
            ?.offset ?? which;
        bytes[from + 3] = 5;
        return from + 3;
      },
      kind: "cdc-union-wrong",
    },
    withCdc,
  ),
  { of: "modem", what: "no union", plant: without(0x24, 3, at(I, 0)), kind: "cdc-union-missing" },
  {
    of: "modem",
    what: "no abstract control management",
    plant: without(0x24, 2, at(I, 0)),
    kind: "cdc-functional-missing",
  },
  {
    of: "ECM adapter",
    what: "no Ethernet descriptor",
    plant: without(0x24, 2, at(I, 0)),
    kind: "cdc-functional-missing",
  },
  { of: "ECM adapter", what: "no address", plant: inNth(0x24, 2, 3, 0), kind: "cdc-mac-string" },
  {
    of: "NCM adapter",
    what: "no NCM descriptor",
    plant: without(0x24, 3, at(I, 0)),
    kind: "cdc-functional-missing",
  },
  {
    of: "microphone",
    what: "a total of the control interface that does not count",
    plant: inNth(0x24, 0, 5, 40),
    kind: "audio-total",
  },
  {
    of: "microphone",
    what: "a stream that is not there",
    plant: inNth(0x24, 0, 8, 4),
    kind: "audio-collection",
  },
  {
    of: "microphone",
    what: "no General descriptor",
    plant: without(0x24, 3, at(I, 2)),
    kind: "audio-format-missing",
  },
  {
    of: "microphone",
    what: "bandwidth in setting 0",
    plant: (bytes) => {
      bytes.splice(nth(bytes, I, 1), 9);
      inNth(I, 1, 3, 0)(bytes);
      total(bytes);
      return nth(bytes, E, 0) + 4;
    },
    kind: "isochronous-in-setting-zero",
  },
  ...ofAll(
    {
      what: "a lost End Collection",
      role: "report",
      plant: (bytes) => {
        bytes.pop();
        return bytes.length;
      },
      kind: "report-broken",
    },
    withHid,
  ),
  ...ofAll(
    {
      what: "a maximum of 255 in one byte",
      role: "report",
      plant: (bytes) => {
        const from = bytes.lastIndexOf(0x65, bytes.length - 6) - 1;
        bytes[from + 1] = 0xff;
        return from;
      },
      kind: "report-maximum-sign",
    },
    ["keyboard"],
  ),
  ...ofAll(
    {
      what: "three bits of padding lost",
      role: "report",
      plant: (bytes) => {
        const padding = bytes.findIndex((byte, index) => byte === 0x75 && bytes[index + 1] === 3) - 2;
        bytes.splice(padding, 6);
        return padding - 2;
      },
      kind: "report-not-byte-aligned",
    },
    ["keyboard"],
  ),
  ...ofAll(
    {
      what: "a physical collection outermost",
      role: "report",
      plant: (bytes) => {
        bytes[5] = 0;
        return 4;
      },
      kind: "report-no-application",
    },
    withHid,
  ),
  ...ofAll(
    {
      what: "modifiers without usages",
      role: "report",
      plant: (bytes) => {
        bytes.splice(8, 4);
        return 16;
      },
      kind: "report-usage-missing",
    },
    ["keyboard"],
  ),
  ...ofAll(
    {
      what: "a maximum of 3 in one bit",
      role: "report",
      plant: (bytes) => {
        bytes[15] = 3;
        return 14;
      },
      kind: "report-value-too-large",
    },
    ["keyboard"],
  ),
];

/** The example's descriptors with the fault in them, and where it lies in which of them. */
export function plantedGiven({ of, plant, role = "configuration" }: Planted): {
  readonly example: Example;
  readonly given: readonly GivenDescriptor[];
  readonly offset: number;
} {
  const example: Example = examples[of];
  const given = givenOf(example).map((one) => ({ ...one, bytes: [...one.bytes] }));
  const target = given.find((one) => one.role === role);
  if (target === undefined) throw new RangeError(`${of} has no ${role}`);
  const offset = plant(target.bytes);
  return { example, given: given.map((one) => ({ ...one, bytes: Uint8Array.from(one.bytes) })), offset };
}
