// Pieces of C++ that headers and sources share: parameters, names of macros and imports, lines that name a user's file.

import type { MethodModel } from "../iig/model.ts";
import type { SourcePosition } from "../iig/source-problem.ts";
import type { MethodSyntax, ParameterSyntax, TypeSyntax } from "../iig/syntax.ts";
import { methodId } from "./method-id.ts";

export function parameterName({ name }: ParameterSyntax, index: number): string {
  return name ?? `argument${index + 1}`;
}

export function declared(type: TypeSyntax, name: string): string {
  if (type.around !== null) return `${type.around.before}${name}${type.around.behind}`;
  return `${type.text} ${name}${type.array ?? ""}`;
}

/** "uint8_t type, IOService * client", with defaults when asked. */
export function parameterList({ parameters, isVariadic }: MethodSyntax, hasDefaults = false): string {
  const list = parameters.map((parameter, index) => {
    const text = declared(parameter.type, parameterName(parameter, index));
    return hasDefaults && parameter.defaultValue !== null ? `${text} = ${parameter.defaultValue}` : text;
  });
  if (isVariadic) list.push("...");
  return list.join(", ");
}

export function argumentList({ parameters }: MethodSyntax): string {
  return parameters.map(parameterName).join(", ");
}

/** "CopyStringDescriptor.2" as part of a name in C. */
export function symbolName(symbol: string): string {
  return symbol.replaceAll(".", "_");
}

export function importName(className: string, symbol: string): string {
  return `drydock_${className}_${symbolName(symbol)}`;
}

/** The macro with a method's number, of the class that introduced it. */
export function idName({ introducer, symbol }: MethodModel): string {
  return `${introducer}_${symbolName(symbol)}_ID`;
}

export function idText({ introducer, symbol }: MethodModel): string {
  return `0x${methodId(introducer, symbol).toString(16).padStart(16, "0")}ULL`;
}

/** A text of C; what would end it or the line is escaped. */
export function quoted(text: string): string {
  const escaped = text.replace(/[\\"]/g, "\\$&").replace(/[\n\r\0]/g, " ");
  return `"${escaped}"`;
}

/** Makes the compiler name the user's file and line for what follows. */
export function lineDirective({ file, line }: SourcePosition): string {
  return `#line ${line} ${quoted(file)}`;
}

/** Types that a class declares inside itself are named in full outside of it. */
export function outside(text: string, className: string, nested: ReadonlySet<string>): string {
  if (nested.size === 0) return text;
  return text.replace(/(?<![\w:])[A-Za-z_]\w*/g, (word) =>
    nested.has(word) ? `${className}::${word}` : word,
  );
}

export const isDispatched = ({ kind }: { readonly kind: MethodModel["kind"] }): boolean => kind !== "local";
