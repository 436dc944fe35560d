// Descriptors in text: arrays of a C or Rust source, hexadecimal dumps; each byte with its line.

import type { GivenDescriptor } from "./descriptor-set.ts";
import { splitDescriptors } from "./split-descriptors.ts";

export interface ArraysRead {
  readonly given: readonly GivenDescriptor[];
  /** Arrays that look like descriptors and have words that nobody here can evaluate, with line and word. */
  readonly notRead: readonly { readonly line: number; readonly word: string }[];
}

const mostArrayBytes = 64 << 10;
/** An array of fewer bytes is no descriptor that can be judged. */
const leastBytes = 9;

/** Comments become blanks of the same length and lines. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, (comment) => comment.replace(/[^\n]/g, " "));
}

export function readSourceArrays(text: string): ArraysRead {
  const plain = withoutComments(text);
  const given: GivenDescriptor[] = [];
  const notRead: { line: number; word: string }[] = [];
  for (const match of plain.matchAll(/[{[]([^{}[\]]*)[}\]]/g)) {
    const inner = match[1];
    if (!/0x|\d\s*,/i.test(inner)) continue;
    const from = match.index + 1;
    const array = numbersOf(inner, from, plain);
    if (array === null) continue;
    if ("word" in array) {
      if (array.count >= leastBytes) notRead.push(array);
    } else if (array.bytes.length >= leastBytes)
      given.push(...splitDescriptors(array.bytes, (at) => array.lines[at] ?? null));
  }
  return { given, notRead };
}

function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at >= 0 && at < offset; at = text.indexOf("\n", at + 1)) line++;
  return line;
}

/** Numbers, casts and characters; LOBYTE/HIBYTE-like macros of numbers. Null: nothing of an array of bytes. */
function numbersOf(
  inner: string,
  from: number,
  text: string,
): { bytes: Uint8Array; lines: number[] } | { line: number; word: string; count: number } | null {
  const bytes: number[] = [];
  const lines: number[] = [];
  let line = lineAt(text, from);
  let at = 0;
  const first = inner.split(",").length;
  if (first > mostArrayBytes) return null;
  for (const part of inner.split(",")) {
    for (const letter of part.slice(0, part.length - part.trimStart().length)) if (letter === "\n") line++;
    const word = part
      .trim()
      .replace(/^\(\s*(?:u?int8_t|unsigned char|char|uint8|u8|BYTE)\s*\)\s*/, "")
      .replace(/(?<=[0-9a-f])u8$/i, "");
    if (word !== "") {
      const value = numberOf(word);
      if (value === null || value < -128 || value > 255)
        return value === null ? { line, word: word.slice(0, 60), count: first } : null;
      bytes.push(value & 0xff);
      lines.push(line);
    }
    for (const letter of part.trimStart()) if (letter === "\n") line++;
    at += part.length + 1;
    if (at > mostArrayBytes * 16) return null;
  }
  return { bytes: Uint8Array.from(bytes), lines };
}

function numberOf(word: string): number | null {
  if (/^-?0x[0-9a-f]{1,8}$/i.test(word))
    return Number(word.replace(/^-/, "")) * (word.startsWith("-") ? -1 : 1);
  if (/^-?\d{1,10}$/.test(word)) return Number(word);
  if (/^0b[01]{1,8}$/i.test(word)) return Number(word);
  if (/^'(?:[^'\\])'$/.test(word)) return word.charCodeAt(1);
  return null;
}

/** `12 01 00 02 ...`, with or without offsets in front and letters behind: xxd, hexdump -C, Wireshark. Null: it is none. */
export function readHexText(text: string): readonly GivenDescriptor[] | null {
  const bytes: number[] = [];
  const lines: number[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw
      .replace(/\s{2,}\S.*$|\s*\|.*\|\s*$/, (tail) => (/^\s+(?:[0-9a-f]{2}\s*)+$/i.test(tail) ? tail : ""))
      .trim();
    if (line === "") continue;
    const body = line.replace(/^[0-9a-f]{4,8}:?\s+(?=[0-9a-f]{2})/i, "");
    if (!/^(?:[0-9a-f]{2}(?:[\s,:]+|$)|[0-9a-f]{4}(?:\s+|$))+$/i.test(body)) return null;
    for (const pair of body.match(/[0-9a-f]{2}/gi) ?? []) {
      bytes.push(Number.parseInt(pair, 16));
      lines.push(index + 1);
    }
    if (bytes.length > mostArrayBytes) return null;
  }
  if (bytes.length < leastBytes) return null;
  return splitDescriptors(Uint8Array.from(bytes), (at) => lines[at] ?? null);
}
