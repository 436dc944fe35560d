// Blocks of a dext's code, each with the word of memory that counts it: read from the module's own instructions.
// WebAssembly core specification 2.0, §5.4 (instructions).

import { type WasmFile, WasmFormatError } from "./wasm-file.ts";

export interface CodeBlock {
  /** Where its count lies in the dext's memory. */
  readonly counter: number;
  /** In the file: from the first byte of it to the first of what follows. */
  readonly begin: number;
  readonly end: number;
  /** Index of its function. */
  readonly function: number;
  /** Whether it is the one that its function begins with. */
  readonly isEntry: boolean;
}

const counting = "__sanitizer_cov_trace_pc_guard";
/** Between the first constant of a counter's address and the call that counts. */
const patternBytes = 64;

const op = {
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  branchTable: 0x0e,
  call: 0x10,
  callIndirect: 0x11,
  selectTyped: 0x1c,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  i32Const: 0x41,
  i64Const: 0x42,
  f32Const: 0x43,
  f64Const: 0x44,
  i32Add: 0x6a,
  refNull: 0xd0,
  refFunc: 0xd2,
  prefix: 0xfc,
} as const;

/** Operands in LEB128 of the opcodes after 0xfc: conversions, then memory and table instructions. */
const prefixed = [0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 2, 1, 2, 1, 2, 1, 1, 1];

interface Known {
  readonly value: number;
  /** Where the first of the constants that it is made of stands. */
  readonly at: number;
}

class Code {
  readonly #bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  byte(): number {
    if (this.at >= this.#bytes.length) throw new WasmFormatError("the code ends too early", this.at);
    return this.#bytes[this.at++];
  }

  unsigned(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }

  /** Of at most 32 bits that count; longer ones are only passed over. */
  signed(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return shift < 25 && (byte & 0x40) !== 0 ? value | (-1 << (shift + 7)) : value;
    }
  }
}

/** In the order of the code. Refuses instructions that nobody knows with a WasmFormatError. */
export function codeBlocks(bytes: Uint8Array, file: WasmFile, importedFunctions: number): CodeBlock[] {
  const counter = [...file.functionNames].find(([, name]) => name === counting)?.[0];
  if (counter === undefined) return [];
  const blocks: CodeBlock[] = [];
  let index = importedFunctions;
  for (const [begin, end] of file.functions) {
    const [from, to] = [file.codeOffset + begin, file.codeOffset + end];
    const marks = functionMarks(bytes, from, to, counter);
    for (const [number, { at, counter: word }] of marks.entries())
      blocks.push({
        counter: word,
        begin: number === 0 ? from : at,
        end: marks[number + 1]?.at ?? to,
        function: index,
        isEntry: number === 0,
      });
    index++;
  }
  return blocks;
}

/** Calls that count, each with the address that it is given: constants, put together by way of locals. */
function functionMarks(
  bytes: Uint8Array,
  from: number,
  to: number,
  counter: number,
): { readonly at: number; readonly counter: number }[] {
  const code = new Code(bytes, from);
  for (let left = code.unsigned(); left > 0; left--) {
    code.unsigned();
    code.byte();
  }
  const marks: { at: number; counter: number }[] = [];
  const locals = new Map<number, Known>();
  let stack: (Known | null)[] = [];
  while (code.at < to) {
    const { at } = code;
    const opcode = code.byte();
    switch (opcode) {
      case op.i32Const:
        stack.push({ value: code.signed(), at });
        break;
      case op.localGet:
        stack.push(locals.get(code.unsigned()) ?? null);
        break;
      case op.localSet:
      case op.localTee: {
        const local = code.unsigned();
        const value = (opcode === op.localSet ? stack.pop() : stack.at(-1)) ?? null;
        if (value === null) locals.delete(local);
        else locals.set(local, value);
        break;
      }
      case op.i32Add: {
        const [right, left] = [stack.pop() ?? null, stack.pop() ?? null];
        stack.push(
          left === null || right === null
            ? null
            : { value: (left.value + right.value) | 0, at: Math.min(left.at, right.at) },
        );
        break;
      }
      case op.call: {
        const called = code.unsigned();
        const given = stack.at(-1) ?? null;
        if (called === counter && given !== null)
          marks.push({ at: at - given.at < patternBytes ? given.at : at, counter: given.value >>> 0 });
        stack = [];
        break;
      }
      default:
        skipOperands(code, opcode);
        stack = [];
    }
  }
  return marks;
}

function skipOperands(code: Code, opcode: number): void {
  if (opcode >= op.block && opcode <= op.if) code.signed();
  else if (opcode === 0x0c || opcode === 0x0d || (opcode >= 0x23 && opcode <= 0x26)) code.unsigned();
  else if (opcode === op.branchTable || opcode === op.selectTyped) {
    for (let left = code.unsigned() + (opcode === op.branchTable ? 1 : 0); left > 0; left--) code.unsigned();
  } else if (opcode === op.callIndirect || (opcode >= 0x28 && opcode <= 0x3e)) {
    code.unsigned();
    code.unsigned();
  } else if (opcode === 0x3f || opcode === 0x40 || opcode === op.refNull || opcode === op.refFunc)
    code.unsigned();
  else if (opcode === op.i64Const) code.signed();
  else if (opcode === op.f32Const) code.at += 4;
  else if (opcode === op.f64Const) code.at += 8;
  else if (opcode === op.prefix) {
    const count = prefixed[code.unsigned()];
    if (count === undefined) throw new WasmFormatError("an instruction that is not known", code.at);
    for (let left = count; left > 0; left--) code.unsigned();
  } else if (opcode > 0xc4)
    throw new WasmFormatError(`instruction 0x${opcode.toString(16)}, which is not known`, code.at - 1);
}
