// The declared type of what a method is called on, as far as the sources say it.

import type { SourceCall, SourceFile, SourceFunction } from "./source-file.ts";

/**
 * The class of `iv->device` in `iv->device->DeviceRequest(...)`: a declaration of that name in the function, its file or
 * another source. Null when nothing declares it, or when declarations disagree.
 */
export function receiverType(
  call: SourceCall,
  one: SourceFunction,
  file: SourceFile,
  all: readonly SourceFile[],
): string | null {
  if (call.receiver === null) return null;
  const cast =
    /(?:OSDynamicCast|OSRequiredCast|static_cast\s*<|reinterpret_cast\s*<|dynamic_cast\s*<)\s*\(?\s*(\w+)/.exec(
      call.receiver.text,
    )?.[1];
  if (cast !== undefined) return cast;
  const name = /(\w+)(?:\s*\[[^\]]*\]|\.get\(\))?$/.exec(call.receiver.text)?.[1];
  if (name === undefined || name === "this") return one.className === "" ? null : one.className;
  const local = /->|\./.test(call.receiver.text) ? null : declaredIn(one.node.text, name);
  if (local !== null) return local;
  const own = declaredIn(file.text, name);
  if (own !== null) return own;
  const types = new Set(all.flatMap(({ text }) => declaredIn(text, name) ?? []));
  return types.size === 1 ? ([...types][0] ?? null) : null;
}

const notTypes = new Set(["return", "new", "delete", "const", "auto", "else", "case", "void", "char"]);

/** `Type *name`, `OSSharedPtr<Type> name`, `auto name = OSDynamicCast(Type, ...)`. */
function declaredIn(text: string, name: string): string | null {
  const found = new Set<string>();
  const plain = new RegExp(
    `\\b([A-Za-z_]\\w*)\\s*(?:\\*\\s*(?:const\\s+)?|&\\s*)+${name}\\s*(?=[;,=)\\[{])`,
    "g",
  );
  for (const [, type] of text.matchAll(plain)) if (!notTypes.has(type)) found.add(type);
  const shared = new RegExp(`\\bOSSharedPtr\\s*<\\s*(\\w+)\\s*>\\s*&?\\s*${name}\\b`, "g");
  for (const [, type] of text.matchAll(shared)) found.add(type);
  const cast = new RegExp(`\\b${name}\\s*=\\s*(?:OSDynamicCast|OSRequiredCast)\\s*\\(\\s*(\\w+)\\s*,`, "g");
  for (const [, type] of text.matchAll(cast)) found.add(type);
  return found.size === 1 ? ([...found][0] ?? null) : null;
}
