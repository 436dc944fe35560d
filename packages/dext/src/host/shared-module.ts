// A dext's module as several threads run it: memory that is shared, and copies that leave what is in it alone.

import { WasmFormatError } from "./wasm-file.ts";

export interface SharedModules {
  /** Fills the memory with the module's data: instantiated first, and once. */
  readonly first: WebAssembly.Module;
  /** The same code at the same places of the file, without data and without the function that clears memory at the start. */
  readonly further: WebAssembly.Module;
  /** Of the memory, 64 KiB each. */
  readonly pages: { readonly initial: number; readonly maximum: number };
}

const customSection = 0;
const importSection = 2;
const startSection = 8;
const dataSection = 11;
const memoryImport = 2;
const hasMaximum = 1;
const sharedWithMaximum = 3;
const passiveSegment = 1;

/**
 * WebAssembly core spec 2.0 §5.5.5 and §5.5.14; limits of shared memory: threads proposal. The memory must be imported with a
 * maximum, as `linkFlags` has it: WasmFormatError otherwise.
 */
export function sharedModules(bytes: Uint8Array): SharedModules {
  const first = bytes.slice();
  const cursor = { bytes: first, at: 8 };
  const starts: { readonly at: number; readonly content: number; readonly length: number }[] = [];
  let data: { readonly start: number; readonly end: number; readonly count: number } | null = null;
  let pages: SharedModules["pages"] | null = null;
  while (cursor.at < first.length) {
    const start = cursor.at;
    const id = first[cursor.at++];
    const length = number(cursor);
    const content = cursor.at;
    if (id === importSection) pages = shareMemory(cursor);
    if (id === startSection) starts.push({ at: start, content, length });
    if (id === dataSection) data = { start, end: content + length, count: number(cursor) };
    cursor.at = content + length;
  }
  if (pages === null)
    throw new WasmFormatError(
      "the module does not import its memory with a maximum: threads cannot share it",
      0,
    );
  const further = data === null ? first.slice() : withoutData(first, data);
  // A custom section of the same length in its place: the linker's function for memory that is imported.
  for (const { at, content, length: size } of starts) {
    further[at] = customSection;
    further.fill(0x2d, content, content + size)[content] = size - 1;
  }
  return { first: new WebAssembly.Module(first), further: new WebAssembly.Module(further), pages };
}

interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
}

/** LEB128, unsigned. */
function number(cursor: Cursor): number {
  let value = 0;
  for (let factor = 1; ; factor *= 128) {
    const byte = cursor.bytes[cursor.at++];
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return value;
  }
}

function skipText(cursor: Cursor): void {
  const length = number(cursor);
  cursor.at += length;
}

/** Makes the limits of the imported memory those of a shared one. null: there is none with a maximum. */
function shareMemory(cursor: Cursor): SharedModules["pages"] | null {
  for (let left = number(cursor); left > 0; left--) {
    skipText(cursor);
    skipText(cursor);
    const kind = cursor.bytes[cursor.at++];
    if (kind === memoryImport) {
      const limits = cursor.bytes[cursor.at];
      if (limits !== hasMaximum && limits !== sharedWithMaximum) return null;
      cursor.bytes[cursor.at++] = sharedWithMaximum;
      return { initial: number(cursor), maximum: number(cursor) };
    }
    if (kind === 0) number(cursor);
    else if (kind === 3) cursor.at += 2;
    else {
      // A table: its type, a flag, one or two limits.
      cursor.at++;
      const limits = cursor.bytes[cursor.at++];
      number(cursor);
      if (limits === hasMaximum) number(cursor);
    }
  }
  return null;
}

/** As many segments as before, passive and empty: nothing before the data moves, so traces keep their places. */
function withoutData(
  bytes: Uint8Array,
  data: { readonly start: number; readonly end: number; readonly count: number },
): Uint8Array<ArrayBuffer> {
  const content = [...leb(data.count), ...new Array<number[]>(data.count).fill([passiveSegment, 0]).flat()];
  const section = [dataSection, ...leb(content.length), ...content];
  const result = new Uint8Array(data.start + section.length + (bytes.length - data.end));
  result.set(bytes.subarray(0, data.start));
  result.set(section, data.start);
  result.set(bytes.subarray(data.end), data.start + section.length);
  return result;
}

function leb(value: number): number[] {
  const bytes: number[] = [];
  for (let left = value; ; left = Math.floor(left / 128)) {
    if (left < 128) return [...bytes, left];
    bytes.push((left % 128) | 0x80);
  }
}
