// A WebAssembly module's bytes: sections, names of functions, where the code begins. WebAssembly core spec 2.0, §5.5.

/** A file that is no module, or ends in the middle of one. */
export class WasmFormatError extends Error {
  override readonly name = "WasmFormatError";

  constructor(text: string, offset: number) {
    super(`${text} (at byte ${offset})`);
  }
}

export interface WasmFile {
  /** Custom sections by name: debug information. */
  readonly custom: ReadonlyMap<string, Uint8Array>;
  /** File offset of the content of the code section: addresses of DWARF count from here. */
  readonly codeOffset: number;
  /** Begin to end of each function's body, counted from `codeOffset`. */
  readonly functions: ReadonlyMap<number, number>;
  /** Function index -> name, demangled as the compiler wrote it. */
  readonly functionNames: ReadonlyMap<number, string>;
}

const customSection = 0;
const codeSection = 10;

class Reader {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  byte(): number {
    if (this.at >= this.end) throw new WasmFormatError("the module ends too early", this.at);
    return this.bytes[this.at++];
  }

  /** LEB128, unsigned. */
  number(): number {
    let value = 0;
    for (let factor = 1, count = 0; count < 5; factor *= 128, count++) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    throw new WasmFormatError("a number is longer than 5 bytes", this.at);
  }

  part(length: number): Reader {
    if (this.at + length > this.end) throw new WasmFormatError("a section ends behind the module", this.at);
    this.at += length;
    return new Reader(this.bytes, this.at - length, this.at);
  }

  text(): string {
    const { at, end } = this.part(this.number());
    return new TextDecoder().decode(this.bytes.slice(at, end));
  }
}

/** Refuses what is no module with a WasmFormatError; what it holds is not judged. */
export function readWasmFile(bytes: Uint8Array): WasmFile {
  const custom = new Map<string, Uint8Array>();
  let codeOffset = 0;
  let functions: ReadonlyMap<number, number> = new Map();
  let functionNames: ReadonlyMap<number, string> = new Map();
  for (const { id, content } of sections(bytes)) {
    if (id === codeSection) {
      codeOffset = content.at;
      functions = readFunctions(content);
    }
    if (id !== customSection) continue;
    const name = content.text();
    if (name === "name") functionNames = readFunctionNames(content);
    else custom.set(name, bytes.subarray(content.at, content.end));
  }
  return { custom, codeOffset, functions, functionNames };
}

function readFunctions(reader: Reader): ReadonlyMap<number, number> {
  const base = reader.at;
  const functions = new Map<number, number>();
  for (let left = reader.number(); left > 0; left--) {
    const body = reader.part(reader.number());
    functions.set(body.at - base, body.end - base);
  }
  return functions;
}

function* sections(bytes: Uint8Array): Generator<{ readonly id: number; readonly content: Reader }> {
  const reader = new Reader(bytes);
  for (const expected of [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])
    if (reader.byte() !== expected) throw new WasmFormatError("no WebAssembly module", reader.at - 1);
  while (reader.at < reader.end) {
    const id = reader.byte();
    yield { id, content: reader.part(reader.number()) };
  }
}

function readFunctionNames(reader: Reader): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  while (reader.at < reader.end) {
    const kind = reader.byte();
    const part = reader.part(reader.number());
    if (kind !== 1) continue;
    for (let left = part.number(); left > 0; left--) names.set(part.number(), part.text());
  }
  return names;
}
