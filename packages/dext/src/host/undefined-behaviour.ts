// What -fsanitize=undefined found, in words: its records are read out of the dext's memory.

import type { DextMemory } from "./dext-memory.ts";
import type { WasmValue } from "./engine.ts";

/** LLVM's UndefinedBehaviorSanitizer: file, line and column, each a word; what follows differs by handler. */
const placeBytes = 12;

interface TypeRecord {
  readonly name: string;
  /** A value of this type as people read it; `value` is the value itself, or the address of one that is wider than a pointer. */
  read(value: number): string;
}

/** One finding. The line is the one that the compiler has written down: no debug information is needed. */
export interface UndefinedBehaviour {
  readonly text: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

type Describe = (at: RecordReader, values: readonly number[]) => string;

class RecordReader {
  readonly memory: DextMemory;
  readonly at: number;

  constructor(memory: DextMemory, at: number) {
    this.memory = memory;
    this.at = at;
  }

  word(index: number): number {
    return this.memory.u32(this.at + placeBytes + index * 4);
  }

  byte(offset: number): number {
    return this.memory.u8(this.at + placeBytes + offset);
  }

  type(index: number): TypeRecord {
    const at = this.word(index);
    const kind = this.memory.u16(at);
    const info = this.memory.u16(at + 2);
    // "'uint32_t[4]' (aka 'unsigned int[4]')": as the author wrote it.
    const name = this.memory.text(at + 4, 200).split("'")[1] ?? "";
    return { name, read: (value) => readValue(this.memory, kind, info, value) };
  }
}

/** Kinds: 0 an integer (info: sign, then the logarithm of its bits), 1 a floating point number (info: its bits). */
function readValue(memory: DextMemory, kind: number, info: number, value: number): string {
  if (kind === 0) {
    const bits = 2 ** (info >> 1);
    const isSigned = (info & 1) !== 0;
    let raw = BigInt(value >>> 0);
    if (bits > 32) raw = memory.u64(value);
    if (bits > 64) return "a number of 128 bits";
    return String(isSigned ? BigInt.asIntN(bits, raw) : BigInt.asUintN(bits, raw));
  }
  if (kind === 1 && info === 64) return String(memory.f64(value));
  if (kind === 1 && info === 32) return String(new Float32Array(Uint32Array.of(value >>> 0).buffer)[0]);
  return "a value";
}

const sum =
  (sign: string): Describe =>
  (record, [left, right]) => {
    const type = record.type(0);
    return `${type.read(left)} ${sign} ${type.read(right)} does not fit in ${type.name}`;
  };

/** What a member, a call or an access was to be, by the number that the compiler writes. */
const uses = [
  "a read",
  "a write",
  "a reference",
  "a member access",
  "a member call",
  "a constructor call",
  "a downcast",
  "a downcast",
  "an upcast",
  "a cast to a virtual base",
  "a value that must not be null",
  "a dynamic operation",
];

const describers: Readonly<Record<string, Describe>> = {
  add_overflow: sum("+"),
  sub_overflow: sum("-"),
  mul_overflow: sum("*"),
  negate_overflow: (record, [value]) =>
    `-(${record.type(0).read(value)}) does not fit in ${record.type(0).name}`,
  divrem_overflow: (record, [left, right]) => {
    const type = record.type(0);
    const divisor = type.read(right);
    return divisor === "0"
      ? `${type.read(left)} divided by zero`
      : `${type.read(left)} / ${divisor} does not fit in ${type.name}`;
  },
  shift_out_of_bounds: (record, [left, right]) => {
    const [type, by] = [record.type(0), record.type(1)];
    return `${type.read(left)} shifted by ${by.read(right)}: ${type.name} has no such shift`;
  },
  out_of_bounds: (record, [index]) =>
    `index ${record.type(1).read(index)} is outside of ${record.type(0).name}`,
  builtin_unreachable: () => "code that was said to be unreachable was reached",
  missing_return: () => "a function that answers a value ended without one",
  vla_bound_not_positive: (record, [bound]) => `an array of ${record.type(0).read(bound)} elements`,
  float_cast_overflow: (record, [from]) => {
    const [source, target] = [record.type(0), record.type(1)];
    return `${source.read(from)} does not fit in ${target.name}`;
  },
  load_invalid_value: (record, [value]) =>
    `${record.type(0).read(value)} is no value of ${record.type(0).name}`,
  type_mismatch_v1: (record, [pointer]) => {
    const use = uses[record.byte(5)] ?? "a use";
    const { name } = record.type(0);
    if (pointer >>> 0 === 0) return `${use} of ${name} through a null pointer`;
    const alignment = 2 ** record.byte(4);
    return `${use} of ${name} at 0x${(pointer >>> 0).toString(16)}, which is no multiple of ${alignment}`;
  },
  nonnull_arg: (record) => `a null pointer as argument ${record.word(3)}, which must not be null`,
  nullability_arg: (record) => `a null pointer as argument ${record.word(3)}, which must not be null`,
  nonnull_return_v1: () => "a null pointer is answered where none may be",
  nullability_return_v1: () => "a null pointer is answered where none may be",
  pointer_overflow: (_record, [base, result]) =>
    base >>> 0 === 0
      ? `an offset of ${result | 0} to a null pointer`
      : `a pointer at 0x${(base >>> 0).toString(16)} moved beyond all memory, to 0x${(result >>> 0).toString(16)}`,
  invalid_builtin: () => "__builtin_ctz or __builtin_clz of 0",
  implicit_conversion: (record, [from]) =>
    `${record.type(0).read(from)} of ${record.type(0).name} changes when it becomes ${record.type(1).name}`,
  alignment_assumption: () => "a pointer that is not aligned as was said",
};

export const undefinedKinds: readonly string[] = Object.keys(describers);

/** `kind` as in `__ubsan_handle_KIND`. The first value is the address of the record; of nonnull_return_v1 the second is its place. */
export function readUndefinedBehaviour(
  memory: DextMemory,
  kind: string,
  values: readonly WasmValue[],
): UndefinedBehaviour {
  const [at, ...rest] = values.map((value) => Number(value));
  const place = kind.endsWith("return_v1") ? rest[0] : at;
  const file = memory.u32(place);
  const text = describers[kind]?.(new RecordReader(memory, at), rest) ?? kind;
  return {
    text,
    file: file === 0 ? "" : memory.text(file, 1024),
    line: memory.u32(place + 4),
    column: memory.u32(place + 8),
  };
}
