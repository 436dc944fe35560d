// system_profiler SPUSBDataType as text, JSON and XML: the USB devices of a Mac, and where they are plugged in.

import { isDictionary, type Properties, type PropertyValue } from "@drydock/core/platform/properties";
import type { Place } from "../facts/evidence-source.ts";
import type { RegistryEntry } from "../facts/registry-entry.ts";
import { cleanLine } from "./pasted-text.ts";
import { parsePlainPlist } from "./plist-plain.ts";
import type { FactSink, TextDocument, TextReader } from "./reader.ts";

/** Our name of a value -> the words of the text, and the keys of JSON and XML. */
const words = {
  product: ["Product ID", "product_id"],
  vendor: ["Vendor ID", "vendor_id"],
  version: ["Version", "bcd_device"],
  serial: ["Serial Number", "serial_num"],
  maker: ["Manufacturer", "manufacturer"],
  location: ["Location ID", "location_id"],
  speed: ["Speed", "device_speed"],
  available: ["Current Available (mA)", "bus_power"],
  required: ["Current Required (mA)", "bus_power_used"],
  controller: ["Host Controller Driver", "host_controller"],
} as const;

const speeds: Readonly<Record<string, string>> = {
  low_speed: "Up to 1.5 Mb/s",
  full_speed: "Up to 12 Mb/s",
  high_speed: "Up to 480 Mb/s",
  super_speed: "Up to 5 Gb/s",
  super_speed_plus: "Up to 10 Gb/s",
};

const appleVendor = 0x05ac;
const deepest = 64;
const mostEntries = 4096;

/** A bus or a device of the listing, and where each of its words stands. */
interface Listed {
  readonly name: string;
  readonly values: ReadonlyMap<string, string>;
  placeOf(word: string): Place;
}

export const usbListingReader: TextReader = {
  kind: "USB device listing",
  anchors: ["Product ID: 0x", "Host Controller Driver:", '"SPUSBDataType"'],
  read(document, sink) {
    const json = /^\s*\{\s*"SPUSBDataType"\s*:/m.exec(document.text);
    if (json === null) {
      addLines(document, sink);
      return;
    }
    const parsed = parsePlainPlist(document, json.index + json[0].indexOf("{"));
    if (parsed.problem !== null)
      sink.problem(`has a list of USB devices that is not whole (${parsed.problem}); what is there was read`);
    const items = isDictionary(parsed.value) ? parsed.value.SPUSBDataType : null;
    addUsbItems(items, "SPUSBDataType", (path) => document.place(parsed.lines.get(path) ?? 1), sink);
  },
};

const headLine = /^(?:> ?)*(\s*)(\S.{0,199}?):\s*$/;
const wordLine = /^(?:> ?)*(\s*)(\S.{0,199}?):\s+(\S.*?)\s*$/;
/** Words that stand alone when they have nothing to say. */
const isWord = new Set<string>(Object.values(words).map(([word]) => word));

/** Depth is told by indentation: a device's words stand two blanks to the right of its name, its devices four. */
function addLines(document: TextDocument, sink: FactSink): void {
  const heads: {
    indent: number;
    line: number;
    name: string;
    values: Map<string, string>;
    lines: Map<string, number>;
  }[] = [];
  for (let number = 1; number <= document.lineCount && heads.length < mostEntries; number++) {
    const raw = document.line(number);
    const head = headLine.exec(raw);
    if (head !== null && !isWord.has(head[2])) {
      heads.push({
        indent: head[1].length,
        line: number,
        name: head[2],
        values: new Map(),
        lines: new Map(),
      });
      continue;
    }
    const match = wordLine.exec(raw);
    const last = heads.at(-1);
    if (match === null || last === undefined || match[1].length <= last.indent || last.values.size >= deepest)
      continue;
    last.values.set(match[2], match[3]);
    last.lines.set(match[2], number);
  }
  const above: { indent: number; entry: RegistryEntry }[] = [];
  for (const { indent, line, lines, name, values } of heads) {
    while (above.length > 0 && above[above.length - 1].indent >= indent) above.pop();
    const listed = { name, values, placeOf: (word: string) => document.place(lines.get(word) ?? line) };
    const entry = addListed(listed, above.map((one) => one.entry).slice(-deepest), sink);
    if (entry !== null) above.push({ indent, entry });
  }
}

/** `items` of JSON or of a property list: buses, with devices in their `_items`. */
export function addUsbItems(
  items: PropertyValue | null | undefined,
  path: string,
  placeOf: (path: string) => Place,
  sink: FactSink,
  above: readonly RegistryEntry[] = [],
): void {
  if (!Array.isArray(items) || above.length > deepest) return;
  items.slice(0, mostEntries).forEach((item, index) => {
    if (!isDictionary(item)) return;
    const own = `${path}/${index}`;
    const values = new Map(
      Object.entries(item).flatMap(([key, value]) =>
        typeof value === "string" ? [[key, value] as const] : [],
      ),
    );
    const listed = {
      name: values.get("_name") ?? "",
      values,
      placeOf: (word: string) => placeOf(`${own}/${word}`),
    };
    const entry = addListed(listed, above, sink);
    addUsbItems(item._items, `${own}/_items`, placeOf, sink, entry === null ? above : [...above, entry]);
  });
}

/** Null for what is neither a device nor a bus. */
function addListed(listed: Listed, parents: readonly RegistryEntry[], sink: FactSink): RegistryEntry | null {
  const said = (what: keyof typeof words): string =>
    words[what].map((word) => listed.values.get(word)).find((value) => value !== undefined) ?? "";
  const [vendor, product] = [said("vendor"), said("product")].map(numberOf);
  const isDevice = vendor !== null && product !== null;
  if (!isDevice && said("controller") === "") return null;
  const location = /0x([0-9a-f]{1,8})/i.exec(said("location"))?.[1].toLowerCase() ?? "";
  const serial = said("serial");
  if (serial !== "") sink.secret("serial", serial);
  const entry: RegistryEntry = {
    name: cleanLine(listed.name),
    location,
    className: isDevice ? "IOUSBHostDevice" : "",
    id: 0,
    state: "",
    properties: isDevice
      ? deviceProperties(vendor, product, said, location)
      : { "Host Controller Driver": said("controller") },
    parents,
    placeOf: (key) => listed.placeOf(wordOf(key, listed)),
  };
  sink.kind("USB device listing");
  sink.add("usb-listing", entry.placeOf(isDevice ? "idProduct" : ""), entry);
  return entry;
}

/** The names that the registry has for them; what a listing does not say (class, configurations) is not there. */
function deviceProperties(
  idVendor: number,
  idProduct: number,
  said: (what: keyof typeof words) => string,
  location: string,
): Properties {
  const version = /^(\d{1,2})\.(\d{2})$/.exec(said("version"));
  const speed = said("speed");
  const texts = {
    kUSBVendorString: said("maker"),
    kUSBSerialNumberString: said("serial"),
    Speed: speeds[speed] ?? speed,
    "Current Available (mA)": said("available"),
    "Current Required (mA)": said("required"),
  };
  return {
    idVendor,
    idProduct,
    ...(version === null ? {} : { bcdDevice: Number.parseInt(`${version[1]}${version[2]}`, 16) }),
    ...(location === "" ? {} : { locationID: Number.parseInt(location, 16) }),
    ...Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== "")),
  };
}

/** How this form of the listing calls a property. */
function wordOf(key: string, { values }: Listed): string {
  const names: Readonly<Record<string, keyof typeof words>> = {
    idVendor: "vendor",
    idProduct: "product",
    bcdDevice: "version",
    locationID: "location",
  };
  const own: readonly string[] = names[key] === undefined ? [] : words[names[key]];
  return own.find((word) => values.has(word)) ?? key;
}

/** "0x05ac (Apple Inc.)" or "apple_vendor_id"; null for anything else. */
function numberOf(text: string): number | null {
  if (text === "apple_vendor_id") return appleVendor;
  const digits = /^0x([0-9a-f]{1,4})\b/i.exec(text)?.[1];
  return digits === undefined ? null : Number.parseInt(digits, 16);
}
