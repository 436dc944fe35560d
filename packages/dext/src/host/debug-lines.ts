// Where code came from: .debug_line of a module, versions 4 and 5 (DWARF 5 §6.2), as addresses to file and line.

import type { WasmFile } from "./wasm-file.ts";

export interface SourcePlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Rows sorted by address; an address belongs to the last row at or below it, within its sequence. */
export class DebugLines {
  readonly #addresses: Uint32Array;
  readonly #places: (SourcePlace | null)[];
  readonly #codeOffset: number;

  private constructor(rows: readonly Row[], codeOffset: number) {
    this.#addresses = Uint32Array.from(rows, ({ address }) => address);
    this.#places = rows.map(({ place }) => place);
    this.#codeOffset = codeOffset;
  }

  /** A module without debug information, or with some that cannot be read, knows no places: never an exception. */
  static of(file: WasmFile): DebugLines {
    const rows: Row[] = [];
    const line = file.custom.get(".debug_line");
    if (line !== undefined) {
      const ends = new Set(file.functions.values());
      const live: IsLive = (begin, end) => file.functions.has(begin) && ends.has(end);
      try {
        const texts = file.custom.get(".debug_line_str") ?? new Uint8Array(0);
        for (let at = 0; at < line.length; ) at = readUnit(line, texts, at, rows, live);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
      }
    }
    rows.sort((left, right) => left.address - right.address || left.order - right.order);
    return new DebugLines(rows, file.codeOffset);
  }

  /** By offset in the file, as stacks of the engine name it. */
  at(fileOffset: number): SourcePlace | null {
    const row = this.#rowAfter(fileOffset);
    return row === 0 ? null : this.#places[row - 1];
  }

  /** All that begin in it, by offsets in the file, and the one in which it begins. */
  between(begin: number, end: number): SourcePlace[] {
    const places: SourcePlace[] = [];
    for (let row = Math.max(0, this.#rowAfter(begin) - 1); row < this.#addresses.length; row++) {
      if (this.#addresses[row] >= end - this.#codeOffset) break;
      const place = this.#places[row];
      if (place !== null) places.push(place);
    }
    return places;
  }

  /** Every place by the offset in the file at which it begins, in order; null: what begins there has none. */
  *rows(): Generator<readonly [fileOffset: number, place: SourcePlace | null]> {
    for (const [row, place] of this.#places.entries()) yield [this.#addresses[row] + this.#codeOffset, place];
  }

  /** The first row that begins behind an offset in the file. */
  #rowAfter(fileOffset: number): number {
    const wanted = fileOffset - this.#codeOffset;
    let low = 0;
    let high = this.#addresses.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#addresses[middle] <= wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

interface Row {
  readonly address: number;
  readonly order: number;
  /** null: the sequence ends here. */
  readonly place: SourcePlace | null;
}

class Bytes {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = at;
  }

  u8(): number {
    return this.#view.getUint8(this.at++);
  }

  i8(): number {
    return this.#view.getInt8(this.at++);
  }

  u16(): number {
    this.at += 2;
    return this.#view.getUint16(this.at - 2, true);
  }

  u32(): number {
    this.at += 4;
    return this.#view.getUint32(this.at - 4, true);
  }

  unsigned(): number {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = this.u8();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 128;
    }
  }

  signed(): number {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = this.u8();
      value += (byte & 0x7f) * factor;
      factor *= 128;
      if (byte < 0x80) return (byte & 0x40) !== 0 ? value - factor : value;
    }
  }

  text(): string {
    const end = this.#bytes.indexOf(0, this.at);
    if (end < 0) throw new RangeError("a text without an end");
    const text = new TextDecoder().decode(this.#bytes.slice(this.at, end));
    this.at = end + 1;
    return text;
  }
}

/** DWARF 5 table 7.27 and 7.5.6: what paths are written as. */
const form = {
  udata: 0x0f,
  string: 0x08,
  data1: 0x0b,
  data2: 0x05,
  data4: 0x06,
  data16: 0x1e,
  lineStrp: 0x1f,
  strp: 0x0e,
} as const;
const content = { path: 1, directoryIndex: 2 } as const;

/**
 * A sequence of a function that the linker took away keeps its address from before, which lies in another function now: only what begins
 * and ends with functions of this module is of it.
 */
type IsLive = (begin: number, end: number) => boolean;

function readUnit(line: Uint8Array, texts: Uint8Array, start: number, rows: Row[], live: IsLive): number {
  const reader = new Bytes(line, start);
  const end = start + 4 + reader.u32();
  const version = reader.u16();
  if (version < 2 || version > 5) return end;
  if (version >= 5) reader.at += 2;
  const headerLength = reader.u32();
  const program = reader.at + headerLength;
  const minimumLength = reader.u8();
  if (version >= 4) reader.u8();
  const defaultIsStatement = reader.u8();
  const lineBase = reader.i8();
  const lineRange = reader.u8();
  const opcodeBase = reader.u8();
  const lengths = [0];
  for (let opcode = 1; opcode < opcodeBase; opcode++) lengths[opcode] = reader.u8();
  const files = version >= 5 ? readTables(reader, texts) : readOldTables(reader);
  reader.at = program;
  void defaultIsStatement;
  runProgram(reader, end, { minimumLength, lineBase, lineRange, opcodeBase, lengths, files }, rows, live);
  return end;
}

function readOldTables(reader: Bytes): string[] {
  const folders = [""];
  for (let text = reader.text(); text !== ""; text = reader.text()) folders.push(text);
  const files = [""];
  for (let text = reader.text(); text !== ""; text = reader.text()) {
    const folder = folders[reader.unsigned()] ?? "";
    reader.unsigned();
    reader.unsigned();
    files.push(joined(folder, text));
  }
  return files;
}

function readTables(reader: Bytes, texts: Uint8Array): string[] {
  const folders = readTable(reader, texts).map(({ path }) => path);
  return readTable(reader, texts).map(({ path, folder }) => joined(folders[folder] ?? "", path));
}

function readTable(reader: Bytes, texts: Uint8Array): { readonly path: string; readonly folder: number }[] {
  const formats: { readonly content: number; readonly form: number }[] = [];
  for (let left = reader.u8(); left > 0; left--)
    formats.push({ content: reader.unsigned(), form: reader.unsigned() });
  const entries: { readonly path: string; readonly folder: number }[] = [];
  for (let left = reader.unsigned(); left > 0; left--) {
    let path = "";
    let folder = 0;
    for (const each of formats) {
      const value = readForm(reader, texts, each.form);
      if (each.content === content.path) path = String(value);
      else if (each.content === content.directoryIndex) folder = Number(value);
    }
    entries.push({ path, folder });
  }
  return entries;
}

function readForm(reader: Bytes, texts: Uint8Array, kind: number): string | number {
  switch (kind) {
    case form.string:
      return reader.text();
    case form.lineStrp:
      return new Bytes(texts, reader.u32()).text();
    case form.strp:
      reader.u32();
      return "";
    case form.udata:
      return reader.unsigned();
    case form.data1:
      return reader.u8();
    case form.data2:
      return reader.u16();
    case form.data4:
      return reader.u32();
    case form.data16:
      reader.at += 16;
      return 0;
    default:
      throw new RangeError(`form ${kind} of a path`);
  }
}

function joined(folder: string, file: string): string {
  return folder === "" || file.startsWith("/") ? file : `${folder}/${file}`;
}

interface Program {
  readonly minimumLength: number;
  readonly lineBase: number;
  readonly lineRange: number;
  readonly opcodeBase: number;
  readonly lengths: readonly number[];
  readonly files: readonly string[];
}

/** §6.2.5. */
function runProgram(reader: Bytes, end: number, program: Program, rows: Row[], live: IsLive): void {
  const { minimumLength, lineBase, lineRange, opcodeBase, lengths, files } = program;
  let sequence: Row[] = [];
  let address = 0;
  let file = 1;
  let line = 1;
  let column = 0;
  const reset = () => {
    address = 0;
    file = 1;
    line = 1;
    column = 0;
    sequence = [];
  };
  const put = () => {
    sequence.push({
      address,
      order: rows.length + sequence.length,
      place: { file: files[file] ?? "", line, column },
    });
  };
  const endSequence = () => {
    if (sequence.length > 0 && live(sequence[0].address, address)) {
      rows.push(...sequence, { address, order: -1, place: null });
    }
    reset();
  };
  while (reader.at < end) {
    const opcode = reader.u8();
    if (opcode >= opcodeBase) {
      const adjusted = opcode - opcodeBase;
      address += Math.floor(adjusted / lineRange) * minimumLength;
      line += lineBase + (adjusted % lineRange);
      put();
      continue;
    }
    switch (opcode) {
      case 0: {
        const length = reader.unsigned();
        const next = reader.at + length;
        const extended = reader.u8();
        if (extended === 1) endSequence();
        else if (extended === 2) address = reader.u32();
        reader.at = next;
        break;
      }
      case 1:
        put();
        break;
      case 2:
        address += reader.unsigned() * minimumLength;
        break;
      case 3:
        line += reader.signed();
        break;
      case 4:
        file = reader.unsigned();
        break;
      case 5:
        column = reader.unsigned();
        break;
      case 6:
      case 7:
      case 10:
      case 11:
        break;
      case 8:
        address += Math.floor((255 - opcodeBase) / lineRange) * minimumLength;
        break;
      case 9:
        address += reader.u16();
        break;
      default:
        for (let left = lengths[opcode] ?? 0; left > 0; left--) reader.unsigned();
    }
  }
}
