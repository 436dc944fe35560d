// XML property lists, whole or pasted in part: values with the line of each key. Bounded; entities beyond XML's five
// are never expanded, and DTDs are skipped, so nothing can grow.

import type { PropertyValue } from "@drydock/core/platform/properties";
import type { TextDocument } from "./reader.ts";

export interface ParsedPlist {
  readonly value: PropertyValue;
  /** "a/b/0" -> line. "" is the list itself. */
  readonly lines: ReadonlyMap<string, number>;
  readonly hasComment: boolean;
  /** The text ended, or went wrong, before the list did; the value holds what was there. */
  readonly problem: string | null;
  /** Offset after the list. */
  readonly end: number;
}

const deepest = 64;
const mostValues = 2_000_000;

/** Reads the first value at or after `from`. Null when there is no element of a property list. */
export function parsePlistXml(document: TextDocument, from = 0): ParsedPlist | null {
  const parser = new XmlPlist(document, from);
  return parser.parse();
}

interface Tag {
  readonly name: string;
  readonly isClose: boolean;
  readonly isEmpty: boolean;
  readonly at: number;
  readonly end: number;
}

class XmlPlist {
  readonly #document: TextDocument;
  readonly #text: string;
  readonly #lines = new Map<string, number>();
  #at: number;
  #hasComment = false;
  #problem: string | null = null;
  #values = 0;

  constructor(document: TextDocument, from: number) {
    this.#document = document;
    this.#text = document.text;
    this.#at = from;
  }

  parse(): ParsedPlist | null {
    for (;;) {
      const tag = this.#next();
      if (tag === null) return null;
      if (tag.isClose || tag.name === "plist") continue;
      if (!["dict", "array", "string", "integer", "true", "false", "real", "date", "data"].includes(tag.name))
        continue;
      const value = this.#value(tag, "", 0);
      return {
        value: value ?? {},
        lines: this.#lines,
        hasComment: this.#hasComment,
        problem: this.#problem,
        end: this.#at,
      };
    }
  }

  /** The next element tag; comments, declarations and processing instructions are stepped over. */
  #next(): Tag | null {
    for (;;) {
      const at = this.#text.indexOf("<", this.#at);
      if (at < 0) return null;
      if (this.#text.startsWith("<!--", at)) {
        this.#hasComment = true;
        const end = this.#text.indexOf("-->", at + 4);
        if (end < 0) return null;
        this.#at = end + 3;
        continue;
      }
      const end = this.#text.indexOf(">", at);
      if (end < 0) return null;
      this.#at = end + 1;
      const code = this.#text.charCodeAt(at + 1);
      if (code === 0x21 || code === 0x3f) {
        // A DOCTYPE with a subset in brackets: over it, its entities are of no interest.
        const subset = this.#text.slice(at, end).indexOf("[");
        if (code === 0x21 && subset >= 0) {
          const close = this.#text.indexOf("]>", at);
          if (close < 0) return null;
          this.#at = close + 2;
        }
        continue;
      }
      const match = /^(\/?)([A-Za-z]\w{0,31})[^<]{0,200}?(\/?)$/.exec(
        this.#text.slice(at + 1, Math.min(end, at + 260)),
      );
      if (match === null) continue;
      return { name: match[2], isClose: match[1] === "/", isEmpty: match[3] === "/", at, end: end + 1 };
    }
  }

  #stop(at: number, problem: string): null {
    this.#problem ??= `line ${this.#document.lineAt(at)}: ${problem}`;
    return null;
  }

  #value(tag: Tag, path: string, depth: number): PropertyValue | null {
    if (++this.#values > mostValues) return this.#stop(tag.at, "more values than are read");
    if (depth > deepest) return this.#stop(tag.at, `nested deeper than ${deepest}`);
    if (!this.#lines.has(path)) this.#lines.set(path, this.#document.lineAt(tag.at));
    switch (tag.name) {
      case "true":
        if (!tag.isEmpty) this.#content("true");
        return true;
      case "false":
        if (!tag.isEmpty) this.#content("false");
        return false;
      case "dict":
        return tag.isEmpty ? {} : this.#dictionary(path, depth);
      case "array":
      case "set":
        return tag.isEmpty ? [] : this.#array(path, depth);
      default: {
        const text = tag.isEmpty ? "" : this.#content(tag.name);
        if (tag.name === "integer" || tag.name === "real") {
          const number = Number(text.trim());
          return Number.isFinite(number) && text.trim() !== "" ? number : text;
        }
        return tag.name === "data" ? bytesOfBase64(text) : text;
      }
    }
  }

  /** Text up to the closing tag of `name`. */
  #content(name: string): string {
    const start = this.#at;
    const end = this.#text.indexOf(`</${name}`, start);
    if (end < 0) {
      this.#stop(start, `<${name}> is not closed`);
      this.#at = this.#text.length;
      return unescapeXml(this.#text.slice(start, start + 65536));
    }
    const close = this.#text.indexOf(">", end);
    this.#at = close < 0 ? this.#text.length : close + 1;
    return unescapeXml(this.#text.slice(start, end));
  }

  #dictionary(path: string, depth: number): PropertyValue {
    const entries: [string, PropertyValue][] = [];
    let key: string | null = null;
    let keyAt = 0;
    for (;;) {
      const tag = this.#next();
      if (tag === null) {
        this.#stop(this.#at, "the text ends inside a dictionary");
        break;
      }
      if (tag.isClose) {
        if (tag.name === "dict") break;
        continue;
      }
      if (tag.name === "key") {
        keyAt = tag.at;
        key = tag.isEmpty ? "" : this.#content("key");
        continue;
      }
      const inner = path === "" ? (key ?? "") : `${path}/${key ?? ""}`;
      if (key !== null && !this.#lines.has(inner)) this.#lines.set(inner, this.#document.lineAt(keyAt));
      const value = this.#value(tag, inner, depth + 1);
      if (key !== null && value !== null) entries.push([key, value]);
      key = null;
      if (this.#problem !== null) break;
    }
    return dictionaryOf(entries);
  }

  #array(path: string, depth: number): PropertyValue {
    const items: PropertyValue[] = [];
    for (;;) {
      const tag = this.#next();
      if (tag === null) {
        this.#stop(this.#at, "the text ends inside an array");
        break;
      }
      if (tag.isClose) {
        if (tag.name === "array" || tag.name === "set") break;
        continue;
      }
      const value = this.#value(
        tag,
        path === "" ? String(items.length) : `${path}/${items.length}`,
        depth + 1,
      );
      if (value !== null) items.push(value);
      if (this.#problem !== null) break;
    }
    return items;
  }
}

/** An own "__proto__" stays an ordinary key. */
export function dictionaryOf(entries: readonly (readonly [string, PropertyValue])[]): {
  [key: string]: PropertyValue;
} {
  return Object.fromEntries(entries);
}

function unescapeXml(text: string): string {
  if (!text.includes("&") && !text.includes("<![CDATA[")) return text;
  return text
    .replace(/<!\[CDATA\[|\]\]>/g, "")
    .replace(/&(?:#x([0-9a-fA-F]{1,6})|#(\d{1,7})|(lt|gt|amp|quot|apos));/g, (all, hexCode, code, name) => {
      const number = hexCode !== undefined ? Number.parseInt(hexCode, 16) : Number(code);
      if (name !== undefined)
        return { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" }[name as string] ?? all;
      return number > 0 && number <= 0x10ffff ? String.fromCodePoint(number) : "\ufffd";
    });
}

/** Blanks and anything that is no digit are stepped over. */
function bytesOfBase64(text: string): Uint8Array {
  const digits = text.replace(/[^A-Za-z0-9+/]/g, "");
  const bytes = new Uint8Array(Math.floor((digits.length * 3) / 4));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (let index = 0; index < digits.length; index++) {
    bits = ((bits << 6) | valueOfDigit(digits.charCodeAt(index))) & 0xffffff;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes[at++] = (bits >> held) & 0xff;
  }
  return bytes.subarray(0, at);
}

function valueOfDigit(code: number): number {
  if (code >= 0x61) return code - 71;
  if (code >= 0x41) return code - 65;
  if (code >= 0x30) return code + 4;
  return code === 0x2b ? 62 : 63;
}
