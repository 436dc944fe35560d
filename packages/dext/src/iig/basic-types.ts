// The integers of C on Apple's targets and, with 32-bit addresses, on wasm32; when two types are the same.

import type { Declarations } from "./declarations.ts";
import type { TypeSyntax } from "./syntax.ts";

export interface BasicType {
  /** The type that the compiler knows: overloads and callbacks compare these. */
  readonly canonical: string;
  readonly bits: number;
  readonly isSigned: boolean;
  readonly isFloat?: boolean;
}

const integer = (canonical: string, bits: number, isSigned: boolean): BasicType => ({
  canonical,
  bits,
  isSigned,
});
const u8 = integer("unsigned char", 8, false);
const i8 = integer("signed char", 8, true);
const u16 = integer("unsigned short", 16, false);
const i16 = integer("short", 16, true);
const u32 = integer("unsigned int", 32, false);
const i32 = integer("int", 32, true);
const u64 = integer("unsigned long long", 64, false);
const i64 = integer("long long", 64, true);
/** An address on wasm32 has 32 bits; on a Mac 64, which the second pass checks. */
const uLong = integer("unsigned long", 32, false);
const iLong = integer("long", 32, true);

export const basicTypes: ReadonlyMap<string, BasicType> = new Map(
  Object.entries({
    bool: integer("bool", 8, false),
    char: integer("char", 8, true),
    "signed char": i8,
    "unsigned char": u8,
    short: i16,
    "unsigned short": u16,
    int: i32,
    "unsigned int": u32,
    unsigned: u32,
    long: iLong,
    "unsigned long": uLong,
    "long long": i64,
    "unsigned long long": u64,
    int8_t: i8,
    uint8_t: u8,
    UInt8: u8,
    SInt8: i8,
    int16_t: i16,
    uint16_t: u16,
    UInt16: u16,
    SInt16: i16,
    int32_t: i32,
    uint32_t: u32,
    UInt32: u32,
    SInt32: i32,
    int64_t: i64,
    uint64_t: u64,
    UInt64: u64,
    SInt64: i64,
    size_t: uLong,
    ssize_t: iLong,
    uintptr_t: uLong,
    intptr_t: iLong,
    kern_return_t: i32,
    IOReturn: i32,
    IOOptionBits: u32,
    IOFixed: i32,
    IOByteCount: u64,
    IOByteCount64: u64,
    IOByteCount32: u32,
    IOItemCount: u32,
    IOVersion: u32,
    IOVirtualAddress: u64,
    IOPhysicalAddress: u64,
    IOPhysicalLength: u64,
    Boolean: u8,
    OSStatus: i32,
    natural_t: u32,
    integer_t: i32,
    mach_port_t: u32,
    float: { canonical: "float", bits: 32, isSigned: true, isFloat: true },
    double: { canonical: "double", bits: 64, isSigned: true, isFloat: true },
  }),
);

/** The words of a type that decide whether two are the same, aliases followed: "unsigned int", "const unsigned char *", "IOService *". */
export function canonicalType(type: TypeSyntax, declarations: Declarations): string {
  if (type.around !== null) return type.text;
  let { base, pointers, isConst } = type;
  if (type.array !== null) pointers += 1;
  for (let step = 0; step < 16; step++) {
    const alias = declarations.typedefs.get(base);
    if (alias === undefined || basicTypes.has(base)) break;
    if (alias.around !== null) return `${base}${"*".repeat(pointers)}`;
    if (alias.base === base && alias.pointers === 0) break;
    base = alias.base;
    pointers += alias.pointers;
    isConst ||= alias.isConst;
  }
  const name = basicTypes.get(base)?.canonical ?? base;
  const array = declarations.arrays.get(base);
  const shape = array === undefined ? name : `${array.element} *`;
  const isConstSeen = isConst && (pointers > 0 || type.isReference || array !== undefined);
  return `${isConstSeen ? "const " : ""}${shape}${pointers > 0 ? ` ${"*".repeat(pointers)}` : ""}${type.isReference ? " &" : ""}`;
}

export function isSameType(one: TypeSyntax, other: TypeSyntax, declarations: Declarations): boolean {
  return canonicalType(one, declarations) === canonicalType(other, declarations);
}
