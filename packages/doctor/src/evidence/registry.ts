// The I/O registry: `ioreg -l` as text (cut lines, quotes and fragments too) and `ioreg -a` as property list.

import { bytesFromHex } from "@drydock/core/base/text";
import { isDictionary, type Properties, type PropertyValue } from "@drydock/core/platform/properties";
import type { Place } from "../facts/evidence-source.ts";
import type { RegistryEntry } from "../facts/registry-entry.ts";
import { cleanLine } from "./pasted-text.ts";
import { dictionaryOf } from "./plist-xml.ts";
import type { FactSink, TextReader } from "./reader.ts";

const nodeLine =
  /^([\s|]*)\+-o (.+?) {1,2}<class ([\w:]{1,200})(?:, id (0x[0-9a-f]{1,16}))?,? ?([^>]*)>?\s*$/;
const shortNode = /^([\s|]*)\+-o ([^<]{1,200}?)\s*$/;
const propertyLine = /^[\s|]*"([^"]{1,300})" = (.*)$/;

export const registryReader: TextReader = {
  kind: "registry dump",
  anchors: ["<class ", '"IOClass" =', '"CFBundleIdentifier" =', '"IOProviderClass" ='],
  read(document, sink) {
    const stack: { indent: number; entry: RegistryEntry }[] = [];
    let current: {
      entry: RegistryEntry;
      entries: [string, PropertyValue][];
      lines: Map<string, number>;
    } | null = null;
    let found = 0;
    let cut = 0;
    const finish = () => {
      if (current === null) return;
      const { entry, entries } = current;
      (entry as { properties: Properties }).properties = dictionaryOf(entries);
      current = null;
    };
    for (let number = 1; number <= document.lineCount; number++) {
      const raw = document.line(number);
      if (!raw.includes("+-o ") && !raw.includes(" = ")) continue;
      const line = cleanLine(raw);
      const isNode = line.includes("+-o ");
      if (!isNode && !line.includes('" = ')) continue;
      if (line.length > 1 << 20) continue;
      const node = isNode ? (nodeLine.exec(line) ?? shortNode.exec(line)) : null;
      if (node !== null) {
        finish();
        if (++found > sink.limits.factsPerFile) break;
        const [name, location = ""] = splitName(node[2].trim());
        const indent = node[1].length;
        while (stack.length > 0 && stack[stack.length - 1].indent >= indent) stack.pop();
        const lines = new Map<string, number>();
        const here = number;
        const entry: RegistryEntry = {
          name,
          location,
          className: node[3] ?? "",
          id: node[4] === undefined ? 0 : Number(node[4]),
          state: node[5] ?? "",
          properties: {},
          parents: stack.map((above) => above.entry).slice(-64),
          placeOf: (key) => document.place(lines.get(key) ?? here),
        };
        stack.push({ indent, entry });
        current = { entry, entries: [], lines };
        sink.add("registry-entry", document.place(number), entry);
        continue;
      }
      const property = propertyLine.exec(line);
      if (property === null) continue;
      if (current === null) {
        // A fragment that begins inside an entry: somebody pasted only the properties.
        const lines = new Map<string, number>();
        const here = number;
        const entry: RegistryEntry = {
          name: "",
          location: "",
          className: "",
          id: 0,
          state: "",
          properties: {},
          parents: [],
          placeOf: (key) => document.place(lines.get(key) ?? here),
        };
        current = { entry, entries: [], lines };
        sink.add("registry-entry", document.place(number), entry);
        found++;
      }
      const reader = new ValueReader(property[2]);
      const value = reader.read(0);
      if (reader.isCut) cut++;
      if (current.entries.length < 2000) current.entries.push([property[1], value]);
      current.lines.set(property[1], number);
      if (/serial/i.test(property[1]) && typeof value === "string") sink.secret("serial", value);
    }
    finish();
    if (found > 0) sink.kind("registry dump");
    if (cut > 0)
      sink.problem(`has ${cut} values that were cut at the terminal's width; ioreg -l -w0 prints them whole`);
  },
};

function splitName(text: string): string[] {
  const at = text.lastIndexOf("@");
  return at > 0 ? [text.slice(0, at), text.slice(at + 1)] : [text];
}

const deepest = 64;

/** `"text"`, 12, 0x3e8, Yes, <hex>, (a,b), {"k"=v}, [a,b]; takes what is there when a value was cut. */
export class ValueReader {
  readonly #text: string;
  #at = 0;
  isCut = false;

  constructor(text: string) {
    this.#text = text.trimEnd();
  }

  read(depth: number): PropertyValue {
    if (depth > deepest) {
      this.isCut = true;
      this.#at = this.#text.length;
      return "";
    }
    const letter = this.#text[this.#at];
    if (letter === '"') return this.#string();
    if (letter === "<") return this.#data();
    if (letter === "(") return this.#list(")", depth);
    if (letter === "[") return this.#list("]", depth);
    if (letter === "{") return this.#dictionary(depth);
    const end = this.#text.slice(this.#at).search(/[,)\]}]/);
    const word = end < 0 ? this.#text.slice(this.#at) : this.#text.slice(this.#at, this.#at + end);
    this.#at += word.length;
    if (word === "Yes") return true;
    if (word === "No") return false;
    if (/^(?:0x[0-9a-f]{1,16}|-?\d{1,20})$/i.test(word)) return Number(word);
    if (word.endsWith("$")) this.isCut = true;
    return word;
  }

  #string(): string {
    const end = this.#text.indexOf('"', this.#at + 1);
    if (end < 0) {
      this.isCut = true;
      const rest = this.#text.slice(this.#at + 1).replace(/\$$/, "");
      this.#at = this.#text.length;
      return rest;
    }
    const text = this.#text.slice(this.#at + 1, end);
    this.#at = end + 1;
    return text;
  }

  #data(): PropertyValue {
    const end = this.#text.indexOf(">", this.#at);
    const inner = this.#text.slice(this.#at + 1, end < 0 ? this.#text.length : end);
    this.#at = end < 0 ? this.#text.length : end + 1;
    if (end < 0) this.isCut = true;
    if (inner.startsWith('"')) return inner.replace(/^"|"$/g, "");
    const digits = inner.replace(/[^0-9a-fA-F]/g, "");
    return bytesFromHex(digits.length % 2 === 0 ? digits : digits.slice(0, -1));
  }

  #list(close: string, depth: number): PropertyValue {
    const items: PropertyValue[] = [];
    this.#at++;
    while (this.#at < this.#text.length && this.#text[this.#at] !== close) {
      const before = this.#at;
      items.push(this.read(depth + 1));
      if (this.#text[this.#at] === ",") this.#at++;
      if (this.#at === before) break;
    }
    this.#end(close);
    return items;
  }

  #dictionary(depth: number): PropertyValue {
    const entries: [string, PropertyValue][] = [];
    this.#at++;
    while (this.#at < this.#text.length && this.#text[this.#at] === '"') {
      const key = this.#string();
      if (this.#text[this.#at] !== "=") break;
      this.#at++;
      entries.push([key, this.read(depth + 1)]);
      if (this.#text[this.#at] === ",") this.#at++;
    }
    this.#end("}");
    return dictionaryOf(entries);
  }

  #end(close: string): void {
    if (this.#text[this.#at] === close) this.#at++;
    else {
      this.isCut = true;
      this.#at = this.#text.length;
    }
  }
}

/** What `ioreg -a` says of the entry itself, beside its properties. */
const bookkeeping: readonly string[] = [
  "IOObjectClass",
  "IOObjectRetainCount",
  "IORegistryEntryID",
  "IORegistryEntryLocation",
  "IORegistryEntryName",
  "IOServiceBusyState",
  "IOServiceBusyTime",
  "IOServiceState",
];

/** An entry of `ioreg -a`, with all that stands on it, in the order of the tree. */
export function addRegistryPlist(
  root: Properties,
  path: string,
  placeOf: (path: string) => Place,
  sink: FactSink,
): void {
  const waiting: { value: Properties; path: string; parents: readonly RegistryEntry[] }[] = [
    { value: root, path, parents: [] },
  ];
  for (let count = 0; count < sink.limits.factsPerFile; count++) {
    const next = waiting.pop();
    if (next === undefined) return;
    const { value, path: here, parents } = next;
    const below = (key: string) => (here === "" ? key : `${here}/${key}`);
    const { IORegistryEntryChildren: children, ...rest } = value;
    const properties = dictionaryOf(Object.entries(rest).filter(([key]) => !bookkeeping.includes(key)));
    const word = (key: string) => (typeof value[key] === "string" ? (value[key] as string) : "");
    const entry: RegistryEntry = {
      name: word("IORegistryEntryName"),
      location: word("IORegistryEntryLocation"),
      className: word("IOObjectClass"),
      id: typeof value.IORegistryEntryID === "number" ? value.IORegistryEntryID : 0,
      state: stateText(value),
      properties,
      parents: parents.slice(-64),
      placeOf: (key) => placeOf(below(key)),
    };
    sink.add("registry-entry", placeOf(here), entry);
    for (const [key, item] of Object.entries(properties))
      if (/serial/i.test(key) && typeof item === "string") sink.secret("serial", item);
    if (!Array.isArray(children)) continue;
    // The last is taken first.
    for (let index = children.length - 1; index >= 0; index--) {
      const child = children[index];
      if (isDictionary(child))
        waiting.push({
          value: child,
          path: below(`IORegistryEntryChildren/${index}`),
          parents: [...parents.slice(-63), entry],
        });
    }
  }
}

/** In the words of `ioreg -l`. */
function stateText(value: Properties): string {
  const bits = value.IOServiceState;
  const number = (key: string) => (typeof value[key] === "number" ? (value[key] as number) : null);
  const busy = number("IOServiceBusyState");
  const retain = number("IOObjectRetainCount");
  return [
    ...(typeof bits === "number"
      ? [
          (bits & 2) !== 0 ? "registered" : "!registered",
          (bits & 4) !== 0 ? "matched" : "!matched",
          (bits & 1) !== 0 ? "inactive" : "active",
        ]
      : []),
    ...(busy === null ? [] : [`busy ${busy} (${Math.round((number("IOServiceBusyTime") ?? 0) / 1e6)} ms)`]),
    ...(retain === null ? [] : [`retain ${retain}`]),
  ].join(", ");
}
