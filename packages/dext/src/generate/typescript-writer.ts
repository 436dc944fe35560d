// A dext's structures and numbers as a TypeScript module, for tests that speak to its user client.

import type { AbiField, AbiStruct, AbiTable } from "../abi/abi-table.ts";

export interface TypescriptOptions {
  /** Structures to write, with those inside of them. */
  readonly structs: Iterable<string>;
  readonly constants: Iterable<string>;
}

/**
 * A module without imports: for each structure an interface, its size, a reader and a writer of its bytes as wasm32 has them. Fields of 64
 * bits are bigints. Names that are no identifiers, or not in the table, are left out.
 */
export function typescriptText(abi: AbiTable, { structs, constants }: TypescriptOptions): string {
  const lines = ["// Made by drydock from a dext's .iig files; changes here are lost.", ""];
  for (const name of constants) {
    const value = abi.constants.get(name);
    if (value !== undefined) lines.push(`export const ${name} = ${numberText(value)};`);
  }
  const written = new Set<string>();
  for (const name of structs) writeStruct(name, abi, written, lines, 0);
  return `${lines.join("\n")}\n`;
}

function numberText(value: bigint): string {
  return value >= -(2n ** 53n) && value <= 2n ** 53n ? String(value) : `${value}n`;
}

/** "driverkit::serial::Port" is no name in TypeScript; its last part is. */
function typeName(name: string): string {
  return name.slice(name.lastIndexOf(":") + 1);
}

function writeStruct(
  name: string,
  abi: AbiTable,
  written: Set<string>,
  lines: string[],
  depth: number,
): void {
  const struct = abi.structs.get(name);
  if (struct === undefined || written.has(name) || depth > 8) return;
  written.add(name);
  for (const { of } of struct.fields) if (of !== undefined) writeStruct(of, abi, written, lines, depth + 1);
  lines.push("", ...structLines(struct));
}

function structLines(struct: AbiStruct): string[] {
  const name = typeName(struct.name);
  const lines = [`export interface ${name} {`];
  for (const field of struct.fields) lines.push(`  ${field.name}: ${fieldType(field)};`);
  lines.push("}", `export const sizeOf${name} = ${struct.sizeBytes};`);
  lines.push(`export function read${name}(bytes: Uint8Array, offset = 0): ${name} {`);
  lines.push("  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);", "  return {");
  for (const field of struct.fields) lines.push(`    ${field.name}: ${readText(field)},`);
  lines.push("  };", "}");
  lines.push(
    `export function write${name}(value: ${name}, bytes = new Uint8Array(${struct.sizeBytes}), offset = 0): Uint8Array {`,
  );
  lines.push("  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);");
  for (const field of struct.fields) lines.push(`  ${writeText(field)}`);
  lines.push("  return bytes;", "}");
  return lines;
}

function fieldType({ bits, count, of }: AbiField): string {
  const one = of === undefined ? (bits === 64 ? "bigint" : "number") : typeName(of);
  return count === 1 ? one : `${one}[]`;
}

function accessor(bits: number): string {
  return bits === 64 ? "BigUint64" : `Uint${bits}`;
}

function readText({ offset, bits, count, of }: AbiField): string {
  const place = count === 1 ? `offset + ${offset}` : `offset + ${offset} + at * ${bits / 8}`;
  const order = bits === 8 ? "" : ", true";
  const one =
    of === undefined ? `view.get${accessor(bits)}(${place}${order})` : `read${typeName(of)}(bytes, ${place})`;
  return count === 1 ? one : `Array.from({ length: ${count} }, (_none, at) => ${one})`;
}

function writeText({ name, offset, bits, count, of }: AbiField): string {
  const place = count === 1 ? `offset + ${offset}` : `offset + ${offset} + at * ${bits / 8}`;
  const value = count === 1 ? `value.${name}` : "one";
  const order = bits === 8 ? "" : ", true";
  const statement =
    of === undefined
      ? `view.set${accessor(bits)}(${place}, ${value}${order});`
      : `write${typeName(of)}(${value}, bytes, ${place});`;
  return count === 1 ? statement : `value.${name}.slice(0, ${count}).forEach((one, at) => { ${statement} });`;
}
