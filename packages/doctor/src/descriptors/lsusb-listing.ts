// What `lsusb -v` prints, put back into bytes with a line each; what it shows in words stays opaque.

import type { UsbSpeed as Speed } from "@drydock/core/codec/usb/usb-speed";
import { UsbSpeed } from "@drydock/core/codec/usb/usb-speed";
import type { DescriptorSet, GivenDescriptor } from "./descriptor-set.ts";

/** Field -> offset and bytes, by descriptor type (USB 2.0 chapter 9; HID 1.11 §6.2.1). */
const layouts: Readonly<Record<number, Readonly<Record<string, readonly [number, number]>>>> = {
  1: {
    bcdUSB: [2, 2],
    bDeviceClass: [4, 1],
    bDeviceSubClass: [5, 1],
    bDeviceProtocol: [6, 1],
    bMaxPacketSize0: [7, 1],
    idVendor: [8, 2],
    idProduct: [10, 2],
    bcdDevice: [12, 2],
    iManufacturer: [14, 1],
    iProduct: [15, 1],
    iSerial: [16, 1],
    iSerialNumber: [16, 1],
    bNumConfigurations: [17, 1],
  },
  2: {
    wTotalLength: [2, 2],
    bNumInterfaces: [4, 1],
    bConfigurationValue: [5, 1],
    iConfiguration: [6, 1],
    bmAttributes: [7, 1],
    MaxPower: [8, 1],
  },
  4: {
    bInterfaceNumber: [2, 1],
    bAlternateSetting: [3, 1],
    bNumEndpoints: [4, 1],
    bInterfaceClass: [5, 1],
    bInterfaceSubClass: [6, 1],
    bInterfaceProtocol: [7, 1],
    iInterface: [8, 1],
  },
  5: {
    bEndpointAddress: [2, 1],
    bmAttributes: [3, 1],
    wMaxPacketSize: [4, 2],
    bInterval: [6, 1],
    bRefresh: [7, 1],
    bSynchAddress: [8, 1],
  },
  11: {
    bFirstInterface: [2, 1],
    bInterfaceCount: [3, 1],
    bFunctionClass: [4, 1],
    bFunctionSubClass: [5, 1],
    bFunctionProtocol: [6, 1],
    iFunction: [7, 1],
  },
  48: { bMaxBurst: [2, 1], bmAttributes: [3, 1], wBytesPerInterval: [4, 2] },
};

interface Section {
  readonly line: number;
  readonly fields: Map<string, { readonly value: string; readonly line: number }>;
  /** bDescriptorType and wDescriptorLength of a HID descriptor's list come twice. */
  readonly repeated: { readonly name: string; readonly value: string }[];
}

/** One set for each device in the listing; none where it is no such listing. */
export function readLsusbListing(text: string): readonly DescriptorSet[] {
  const sets: { name: string; speed: Speed | null; sections: Section[] }[] = [];
  let name = "";
  let section: Section | null = null;
  for (const [index, line] of text.split("\n").entries()) {
    const bus = /^Bus (\d+) Device (\d+): ID ([0-9a-f]{4}:[0-9a-f]{4})/.exec(line);
    if (bus !== null) name = `bus ${bus[1]} device ${bus[2]} (${bus[3]})`;
    const title = /^\s*([A-Za-z][\w /()-]*?)(?: Descriptor)?:\s*$/.exec(line)?.[1];
    const [, field, value] =
      /^\s*(b[A-Z]\w*|w[A-Z]\w*|i[A-Z]\w*|id[A-Z]\w*|bcd\w+|bm[A-Z]\w*|MaxPower)\s+(\S+)/.exec(line) ?? [];
    if (title === "Device" && /^Device Descriptor:/.test(line.trim())) {
      sets.push({ name, speed: null, sections: [] });
      section = null;
    }
    const set = sets.at(-1);
    const speed =
      /\((?:[^()]*\s)?(1\.5|12|480|5000|5G|10000|10G|20000)\s?M?(?:bps|b\/s)\)|Negotiated speed:\s*(\S+)/.exec(
        line,
      );
    if (set !== undefined && /Negotiated speed/.test(line) && speed !== null) set.speed = speedOf(line);
    if (set === undefined || field === undefined || value === undefined) continue;
    if (field === "bLength") {
      section = { line: index + 1, fields: new Map(), repeated: [] };
      set.sections.push(section);
    }
    if (section === null) continue;
    if (section.fields.has(field)) section.repeated.push({ name: field, value });
    else section.fields.set(field, { value, line: index + 1 });
  }
  return sets.map(({ name: called, sections, speed }) => ({ name: called, speed, given: bytesOf(sections) }));
}

function speedOf(line: string): Speed | null {
  if (/Low Speed|1\.5\s?M/.test(line)) return UsbSpeed.low;
  if (/Full Speed|\b12\s?M/.test(line)) return UsbSpeed.full;
  if (/High Speed|480\s?M/.test(line)) return UsbSpeed.high;
  if (/Super|5\s?G|5000|10\s?G/.test(line)) return UsbSpeed.super;
  return null;
}

function numberOf(value: string, name: string): number {
  if (name.startsWith("bcd")) {
    const [whole = "0", part = "0"] = value.split(".");
    return (Number.parseInt(whole, 16) << 8) | Number.parseInt(part.padEnd(2, "0").slice(0, 2), 16);
  }
  if (name === "MaxPower") return -1;
  return Number.parseInt(value, /^0x/i.test(value) ? 16 : 10);
}

function bytesOf(sections: readonly Section[]): GivenDescriptor[] {
  const found: GivenDescriptor[] = [];
  let open: { bytes: number[]; lines: number[]; opaque: Set<number> } | null = null;
  const close = (): void => {
    if (open === null) return;
    const { bytes, lines, opaque } = open;
    found.push({
      role: "configuration",
      bytes: Uint8Array.from(bytes),
      opaque,
      lineOf: (offset) => lines[offset] ?? null,
    });
    open = null;
  };
  for (const section of sections) {
    const type = numberOf(section.fields.get("bDescriptorType")?.value ?? "", "bDescriptorType");
    if (Number.isNaN(type)) continue;
    const isDevice = type === 1;
    const isConfiguration = type === 2;
    // What stands outside a configuration: qualifier, capabilities, another speed.
    if (!isDevice && !isConfiguration && open === null) continue;
    if ([6, 7, 15, 16].includes(type)) {
      close();
      continue;
    }
    const { bytes, isOpaque, lines } = encoded(section, type, found, open?.bytes ?? []);
    if (isDevice) {
      found.push({
        role: "device",
        bytes: Uint8Array.from(bytes),
        lineOf: (offset) => lines[offset] ?? null,
      });
      continue;
    }
    if (isConfiguration) {
      close();
      open = { bytes: [], lines: [], opaque: new Set() };
    }
    if (open === null) continue;
    if (isOpaque) open.opaque.add(open.bytes.length);
    open.bytes.push(...bytes);
    open.lines.push(...lines);
  }
  close();
  return found;
}

const hidDescriptor = 0x21;

function encoded(
  section: Section,
  type: number,
  found: readonly GivenDescriptor[],
  before: readonly number[],
): { bytes: number[]; lines: number[]; isOpaque: boolean } {
  const length = Math.min(
    255,
    Math.max(0, numberOf(section.fields.get("bLength")?.value ?? "0", "bLength") || 0),
  );
  // A length that cannot be walked is kept as it is printed, with its two bytes.
  const bytes = new Array<number>(Math.max(length, 2)).fill(0);
  const lines = new Array<number>(bytes.length).fill(section.line);
  bytes[0] = length;
  bytes[1] = type;
  const put = (at: number, size: number, value: number, line: number): void => {
    for (let index = 0; index < size && at + index < bytes.length; index++) {
      bytes[at + index] = (value >> (8 * index)) & 0xff;
      lines[at + index] = line;
    }
  };
  const layout = layouts[type];
  if (layout !== undefined) {
    for (const [name, { line, value }] of section.fields) {
      const place = layout[name];
      if (place === undefined) continue;
      // lsusb prints milliamperes: of 2, and of 8 at SuperSpeed.
      const version = found.find(({ role }) => role === "device")?.bytes[3] ?? 2;
      const number =
        name === "MaxPower"
          ? Math.min(255, Math.round(Number.parseInt(value, 10) / (version >= 3 ? 8 : 2)))
          : numberOf(value, name);
      if (!Number.isNaN(number)) put(place[0], place[1], number, line);
    }
    return { bytes, lines, isOpaque: false };
  }
  const subtype = section.fields.get("bDescriptorSubtype");
  if (subtype !== undefined) put(2, 1, numberOf(subtype.value, "bDescriptorSubtype"), subtype.line);
  if (type === hidDescriptor && isBehindHid(before)) {
    const field = (name: string): number => numberOf(section.fields.get(name)?.value ?? "0", name) || 0;
    const bcd = section.fields.get("bcdHID");
    if (bcd !== undefined) put(2, 2, numberOf(bcd.value, "bcdHID"), bcd.line);
    put(4, 1, field("bCountryCode"), section.fields.get("bCountryCode")?.line ?? section.line);
    put(5, 1, field("bNumDescriptors"), section.fields.get("bNumDescriptors")?.line ?? section.line);
    const listed = section.repeated.find(({ name }) => name === "bDescriptorType");
    const reportLength = section.fields.get("wDescriptorLength");
    if (listed === undefined || reportLength === undefined) return { bytes, lines, isOpaque: true };
    put(6, 1, numberOf(listed.value, "bDescriptorType"), reportLength.line);
    put(7, 2, numberOf(reportLength.value, "wDescriptorLength"), reportLength.line);
    return { bytes, lines, isOpaque: false };
  }
  return { bytes, lines, isOpaque: true };
}

/** The last interface is a HID one. */
function isBehindHid(bytes: readonly number[]): boolean {
  let last = -1;
  for (let at = 0; at + 2 <= bytes.length && bytes[at] >= 2; at += bytes[at])
    if (bytes[at + 1] === 4) last = bytes[at + 5];
  return last === 3;
}
