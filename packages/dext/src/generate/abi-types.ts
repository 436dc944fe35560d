// How each type of C++ looks to a host of WebAssembly: the number it travels as, and what that number means.

import type { AbiField, AbiStruct, AbiType, WasmType } from "../abi/abi-table.ts";
import { basicTypes } from "../iig/basic-types.ts";
import type { Declarations, Structure } from "../iig/declarations.ts";
import type { InterfaceModel } from "../iig/model.ts";
import type { TypeSyntax } from "../iig/syntax.ts";

const pointerBits = 32;

interface Resolved {
  readonly base: string;
  readonly pointers: number;
  readonly isConst: boolean;
  /** A typedef of a block or a function on the way. */
  readonly around: "block" | "function" | null;
}

/** Follows typedefs, but not those of basic types. */
function followTypedefs(type: TypeSyntax, declarations: Declarations): Resolved {
  let { base, pointers, isConst } = type;
  for (let step = 0; step < 16; step++) {
    const alias = basicTypes.has(base) ? undefined : declarations.typedefs.get(base);
    if (alias === undefined) break;
    if (alias.around !== null) {
      return { base, pointers, isConst, around: alias.base === "block" ? "block" : "function" };
    }
    if (alias.base === base && alias.pointers === 0) break;
    base = alias.base;
    pointers += alias.pointers;
    isConst ||= alias.isConst;
  }
  return { base, pointers, isConst, around: null };
}

export function wasmOfBits(bits: number, isFloat = false): WasmType {
  if (isFloat) return bits === 64 ? "f64" : "f32";
  return bits === 64 ? "i64" : "i32";
}

/** Unknown names by value are taken for structures: they travel as a pointer to a copy. */
export function abiTypeOf(type: TypeSyntax, { classes, declarations }: InterfaceModel): AbiType {
  const c = `${type.text}${type.array ?? ""}`;
  if (type.around !== null) return { c, wasm: "i32", kind: type.base === "block" ? "block" : "function" };
  const { base, pointers, isConst, around } = followTypedefs(type, declarations);
  const depth = pointers + (type.array === null ? 0 : 1) + (type.isReference ? 1 : 0);
  if (around !== null && depth === 0) return { c, wasm: "i32", kind: around, of: base };
  const array = declarations.arrays.get(base);
  if (array !== undefined && depth === 0) {
    const basic = basicTypes.get(array.element);
    if (array.element === "char") return { c, wasm: "i32", kind: "string", of: base, bits: 8, signed: true };
    return {
      c,
      wasm: "i32",
      kind: "pointer",
      of: array.element,
      ...(basic === undefined ? {} : { bits: basic.bits, signed: basic.isSigned }),
      ...(isConst ? {} : { isOut: true }),
    };
  }
  if (depth === 0) return valueType(c, base, declarations);
  if (depth === 1 && classes.has(base) && !type.isReference)
    return { c, wasm: "i32", kind: "object", of: base };
  const basic = depth === 1 ? (basicTypes.get(base) ?? enumerationOf(base, declarations)) : undefined;
  const isOut = type.array === null && base !== "void" && !isConst && !type.text.includes("* const");
  return {
    c,
    wasm: "i32",
    kind: "pointer",
    of: depth > 1 && !classes.has(base) ? `${base} ${"*".repeat(depth - 1)}` : base,
    ...(basic === undefined ? {} : { bits: basic.bits, signed: basic.isSigned }),
    ...(isOut ? { isOut } : {}),
  };
}

function enumerationOf(
  base: string,
  declarations: Declarations,
): { bits: number; isSigned: boolean } | undefined {
  const found = declarations.enumerations.get(base);
  if (found === undefined) return undefined;
  const basic = basicTypes.get(found.underlying ?? "unsigned int");
  return { bits: basic?.bits ?? 32, isSigned: basic?.isSigned ?? false };
}

function valueType(c: string, base: string, declarations: Declarations): AbiType {
  if (base === "void") return { c, wasm: null, kind: "void" };
  if (base === "bool") return { c, wasm: "i32", kind: "bool", bits: 8, signed: false };
  const basic = basicTypes.get(base);
  if (basic !== undefined) {
    const { bits, isSigned, isFloat = false } = basic;
    return {
      c,
      wasm: wasmOfBits(bits, isFloat),
      kind: isFloat ? "float" : "integer",
      bits,
      signed: isSigned,
    };
  }
  const enumeration = enumerationOf(base, declarations);
  if (enumeration !== undefined) {
    const { bits, isSigned } = enumeration;
    return { c, wasm: wasmOfBits(bits), kind: "enum", of: base, bits, signed: isSigned };
  }
  return { c, wasm: "i32", kind: "struct", of: base };
}

interface Extent {
  readonly sizeBytes: number;
  readonly alignBytes: number;
  readonly of?: string;
}

/** Layout on wasm32. Null: a field's size is not known, or it is a bit field. */
export function layoutOf(structure: Structure, model: InterfaceModel): AbiStruct | null {
  return new LayoutWriter(model).structure(structure, 0);
}

class LayoutWriter {
  readonly #model: InterfaceModel;

  constructor(model: InterfaceModel) {
    this.#model = model;
  }

  structure({ name, fields, isPacked, isUnion }: Structure, depth: number): AbiStruct | null {
    const placed: AbiField[] = [];
    let end = 0;
    let alignBytes = 1;
    let sizeBytes = 0;
    for (const field of fields) {
      const extent = field.bits === null ? this.#extent(field.type, depth) : null;
      if (extent === null || !Number.isSafeInteger(field.count)) return null;
      const align = isPacked ? 1 : extent.alignBytes;
      const offset = isUnion ? 0 : Math.ceil(end / align) * align;
      end = offset + extent.sizeBytes * field.count;
      sizeBytes = Math.max(sizeBytes, end);
      alignBytes = Math.max(alignBytes, align);
      placed.push({
        name: field.name,
        offset,
        bits: extent.sizeBytes * 8,
        count: field.count,
        ...(extent.of === undefined ? {} : { of: extent.of }),
      });
    }
    return {
      name,
      sizeBytes: Math.max(1, Math.ceil(sizeBytes / alignBytes) * alignBytes),
      alignBytes,
      fields: placed,
    };
  }

  #extent(type: TypeSyntax, depth: number): Extent | null {
    const { declarations } = this.#model;
    const pointer = { sizeBytes: pointerBits / 8, alignBytes: pointerBits / 8 };
    if (type.around !== null) return pointer;
    const { base, pointers, around } = followTypedefs(type, declarations);
    if (pointers > 0 || around !== null) return pointer;
    const basic = basicTypes.get(base) ?? enumerationOf(base, declarations);
    if (basic !== undefined) return { sizeBytes: basic.bits / 8, alignBytes: basic.bits / 8 };
    const array = declarations.arrays.get(base);
    const element = array === undefined ? undefined : basicTypes.get(array.element);
    if (array !== undefined && element !== undefined)
      return { sizeBytes: (element.bits / 8) * array.count, alignBytes: element.bits / 8 };
    const inner = declarations.structures.get(base);
    if (inner === undefined || depth > 8) return null;
    const layout = this.structure(inner, depth + 1);
    return layout === null ? null : { sizeBytes: layout.sizeBytes, alignBytes: layout.alignBytes, of: base };
  }
}
