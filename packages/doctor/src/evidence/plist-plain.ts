// Property lists that are no XML: old-style (OpenStep) ones, JSON, what plutil -p and codesign print.
//
// In an old-style list every value is a text, data, a list or a dictionary (Apple, Property List Programming Guide, "Old-Style
// ASCII Property Lists"): a number or a YES in it stays a text, and rules may say so. JSON and plutil -p have numbers.

import { bytesFromHex } from "@drydock/core/base/text";
import type { PropertyValue } from "@drydock/core/platform/properties";
import { isDictionary } from "@drydock/core/platform/properties";
import { dictionaryOf, type ParsedPlist } from "./plist-xml.ts";
import type { TextDocument } from "./reader.ts";

const deepest = 64;
const mostValues = 2_000_000;

/** Which of the forms it is: its first separator tells. */
type Form = "old" | "json" | "printed";

/**
 * Reads the dictionary whose `{` stands at `from`. What is not whole has what was there, and a problem; what only looks like a
 * list is empty.
 */
export function parsePlainPlist(document: TextDocument, from: number): ParsedPlist {
  return new PlainPlist(document, from).parse();
}

class PlainPlist {
  readonly #document: TextDocument;
  readonly #text: string;
  readonly #lines = new Map<string, number>();
  #at: number;
  #form: Form | null = null;
  #problem: string | null = null;
  #values = 0;
  #isOther = false;

  constructor(document: TextDocument, from: number) {
    this.#document = document;
    this.#text = document.text;
    this.#at = from;
  }

  parse(): ParsedPlist {
    const value = this.#value("", 0);
    return {
      value: this.#isOther ? {} : (value ?? {}),
      lines: this.#lines,
      hasComment: false,
      problem: this.#problem,
      end: this.#at,
    };
  }

  #stop(problem: string): null {
    this.#problem ??= `line ${this.#document.lineAt(Math.min(this.#at, this.#text.length - 1))}: ${problem}`;
    return null;
  }

  /** Over blanks and comments. */
  #skip(): void {
    for (;;) {
      while (/\s/.test(this.#text.charAt(this.#at)) && this.#at < this.#text.length) this.#at++;
      const end = this.#text.startsWith("//", this.#at)
        ? this.#text.indexOf("\n", this.#at)
        : this.#text.startsWith("/*", this.#at)
          ? this.#text.indexOf("*/", this.#at) + 1
          : null;
      if (end === null) return;
      this.#at = end <= 0 ? this.#text.length : end + 1;
    }
  }

  #value(path: string, depth: number): PropertyValue | null {
    this.#skip();
    if (++this.#values > mostValues) return this.#stop("more values than are read");
    if (depth > deepest) return this.#stop(`nested deeper than ${deepest}`);
    if (!this.#lines.has(path)) this.#lines.set(path, this.#document.lineAt(this.#at));
    switch (this.#text.charAt(this.#at)) {
      case "{":
        return this.#printedData() ?? this.#dictionary(path, depth);
      case "(":
        return this.#array(path, depth, ")");
      case "[":
        return this.#array(path, depth, "]");
      case "<":
        return this.#data();
      default:
        return this.#scalar(path);
    }
  }

  #dictionary(path: string, depth: number): PropertyValue {
    this.#at++;
    const entries: [string, PropertyValue][] = [];
    while (this.#problem === null) {
      this.#skip();
      if (this.#text.charAt(this.#at) === "}") {
        this.#at++;
        break;
      }
      const keyAt = this.#at;
      const key = this.#string();
      this.#skip();
      const separator = /^(?:=>|=|:)/.exec(this.#text.slice(this.#at, this.#at + 2))?.[0];
      if (key === null || separator === undefined) {
        this.#stop(
          this.#at >= this.#text.length ? "the text ends inside a dictionary" : "a key without a value",
        );
        break;
      }
      this.#form ??= separator === "=>" ? "printed" : separator === ":" ? "json" : "old";
      this.#at += separator.length;
      const inner = path === "" ? key : `${path}/${key}`;
      if (!this.#lines.has(inner)) this.#lines.set(inner, this.#document.lineAt(keyAt));
      const value = this.#value(inner, depth + 1);
      // Each entry of an old-style dictionary ends with a semicolon; without them it is what ioreg prints of a service.
      if (this.#form === "old" && this.#problem === null) {
        this.#skip();
        const isEnd = this.#at >= this.#text.length;
        if (!isEnd && this.#text.charAt(this.#at) !== ";") {
          this.#isOther = true;
          this.#stop("an entry without its semicolon");
          break;
        }
      }
      if (value !== null) entries.push([key, value]);
      this.#step();
    }
    return dictionaryOf(entries);
  }

  /** Over what may stand after a value: the form's own mark, or none, as plutil -p has it. */
  #step(): void {
    this.#skip();
    if (/[;,]/.test(this.#text.charAt(this.#at))) this.#at++;
  }

  #array(path: string, depth: number, close: string): PropertyValue {
    this.#at++;
    const items: PropertyValue[] = [];
    while (this.#problem === null) {
      this.#skip();
      if (this.#at >= this.#text.length) this.#stop("the text ends inside a list");
      else if (this.#text.charAt(this.#at) === close) {
        this.#at++;
        break;
      } else {
        // plutil -p counts: 0 => "first".
        const counted = /^\d{1,7} => /.exec(this.#text.slice(this.#at, this.#at + 12));
        if (counted !== null) this.#at += counted[0].length;
        const value = this.#value(path === "" ? String(items.length) : `${path}/${items.length}`, depth + 1);
        if (value !== null) items.push(value);
        this.#step();
      }
    }
    return items;
  }

  /** `{length = 4, bytes = 0x00010203}`, which is how plutil -p prints data; long data has dots in its middle. */
  #printedData(): PropertyValue | null {
    printedBytes.lastIndex = this.#at;
    const match = printedBytes.exec(this.#text);
    if (match === null) return null;
    this.#at += match[0].length;
    const digits = match[1].replace(/[^0-9a-f]/gi, "");
    return bytesFromHex(digits.slice(0, digits.length & ~1));
  }

  #data(): PropertyValue | null {
    const end = this.#text.indexOf(">", this.#at);
    const digits = end < 0 ? "" : this.#text.slice(this.#at + 1, end).replace(/\s/g, "");
    if (end < 0 || digits.length % 2 !== 0 || /[^0-9a-fA-F]/.test(digits))
      return this.#stop("data that is not hexadecimal");
    this.#at = end + 1;
    return bytesFromHex(digits);
  }

  #scalar(path: string): PropertyValue | null {
    const isQuoted = /["']/.test(this.#text.charAt(this.#at));
    const text = this.#string();
    if (text === null) return this.#stop(this.#at >= this.#text.length ? "the text ends" : "no value");
    if (isQuoted || this.#form === "old" || this.#form === null) return text;
    if (text === "true" || text === "false") return text === "true";
    // plutil -p of older systems prints true as 1; a key of entitlements holds no number.
    if (this.#form === "printed" && /^[01]$/.test(text) && /(?:^|\/)com\.apple\.[^/]+$/.test(path))
      return text === "1";
    return /^-?\d{1,20}(?:\.\d{1,20})?(?:[eE][-+]?\d{1,3})?$/.test(text) ? Number(text) : text;
  }

  /** Quoted, or of the letters that need no quotes. Null where neither begins. */
  #string(): string | null {
    const quote = this.#text.charAt(this.#at);
    if (quote === '"' || quote === "'") {
      let end = this.#at + 1;
      while (end < this.#text.length && this.#text.charAt(end) !== quote)
        end += this.#text.charAt(end) === "\\" ? 2 : 1;
      const inner = this.#text.slice(this.#at + 1, end);
      if (end >= this.#text.length) this.#stop("a text is not closed");
      this.#at = Math.min(end + 1, this.#text.length);
      return unescaped(inner);
    }
    bare.lastIndex = this.#at;
    const match = bare.exec(this.#text);
    if (match === null) return null;
    this.#at += match[0].length;
    return match[0];
  }
}

const printedBytes = /\{length = \d{1,9}, bytes = 0x([0-9a-f. ]*)\}/iy;
const bare = /[\w$+/.@()-]*[\w$+/.@)-]|\w/y;

function unescaped(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replace(
    /\\(?:[uU]([0-9a-fA-F]{4})|([0-7]{3})|([\s\S]))/g,
    (_all, code: string | undefined, octal: string | undefined, letter: string) => {
      if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
      return { n: "\n", t: "\t", r: "\r", b: "\b", f: "\f" }[letter] ?? letter;
    },
  );
}

interface PrintedLine {
  readonly line: number;
  readonly indent: number;
  readonly kind: string;
  readonly text: string;
}

const printedLine = /^([ \t]*)\[(Dict|Array|Key|Value|String|Bool|Int|Integer|Real|Date|Data)\] ?(.*)$/;

/** The lines of `codesign -d --entitlements -` from `[Dict]` on. Depth is told by indentation alone. */
export function parsePrintedEntitlements(document: TextDocument, firstLine: number): ParsedPlist {
  const rows: PrintedLine[] = [];
  for (let line = firstLine; line <= document.lineCount && rows.length < mostValues; line++) {
    const match = printedLine.exec(document.line(line));
    if (match === null) break;
    rows.push({ line, indent: match[1].length, kind: match[2], text: match[3] });
  }
  const lines = new Map<string, number>([["", firstLine]]);
  let problem: string | null = null;
  let next = 0;
  const valueAt = (path: string, depth: number): PropertyValue | null => {
    const row = rows[next];
    if (row === undefined || row.kind === "Key" || row.kind === "Value" || depth > deepest) {
      problem ??= `line ${row?.line ?? document.lineCount}: ${depth > deepest ? `nested deeper than ${deepest}` : "a value is missing"}`;
      return null;
    }
    next++;
    const isInside = (): boolean => problem === null && next < rows.length && rows[next].indent > row.indent;
    if (row.kind === "Dict") {
      const entries: [string, PropertyValue][] = [];
      while (isInside() && rows[next].kind === "Key") {
        const key = rows[next].text.trim();
        const inner = path === "" ? key : `${path}/${key}`;
        lines.set(inner, rows[next].line);
        next += rows[next + 1]?.kind === "Value" ? 2 : 1;
        const value = valueAt(inner, depth + 1);
        if (value !== null) entries.push([key, value]);
      }
      return dictionaryOf(entries);
    }
    if (row.kind === "Array") {
      const items: PropertyValue[] = [];
      while (isInside() && rows[next].kind !== "Key") {
        const value = valueAt(path === "" ? String(items.length) : `${path}/${items.length}`, depth + 1);
        if (value !== null) items.push(value);
      }
      return items;
    }
    if (row.kind === "Bool") return row.text.trim() === "true";
    if (/^(?:Int|Integer|Real)$/.test(row.kind)) return Number(row.text) || 0;
    return row.text;
  };
  const value = valueAt("", 0);
  if (next < rows.length)
    problem ??= `line ${rows[next].line}: its indentation does not say where it belongs`;
  return {
    value: isDictionary(value ?? {}) ? (value ?? {}) : {},
    lines,
    hasComment: false,
    problem,
    end: document.startOf(firstLine + Math.max(1, rows.length)),
  };
}
