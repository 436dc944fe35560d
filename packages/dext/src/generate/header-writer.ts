// The C++ header of a description's section or of a driver's .iig file: classes as the runtime wants them.

import { Declarations } from "../iig/declarations.ts";
import type { ClassModel, HeaderModel, InterfaceModel, MethodModel } from "../iig/model.ts";
import type { VerbatimSyntax } from "../iig/syntax.ts";
import { idName, idText, isDispatched, lineDirective, parameterList, symbolName } from "./cxx-text.ts";

/** Never called when the header's class did not resolve: it declares what `header.classes` hold. */
export function headerText(header: HeaderModel, model: InterfaceModel): string {
  const isOwn = header.framework === null;
  const lines = [
    isOwn
      ? `// Made by drydock from ${header.source.file.replace(/[\r\n]/g, " ")}; changes here are lost.`
      : `// ${header.path} as drydock describes it; made from a description, changes here are lost.`,
    "#pragma once",
    "#include <drydock/class.h>",
  ];
  const body: string[] = [];
  const classes = new Map(header.classes.map((one) => [one.name, one]));
  let isIncluding = true;
  for (const item of header.source.items) {
    if (item.kind === "include") {
      const path = item.path.replace(/\.iig$/, ".h");
      (isIncluding ? lines : body).push(item.isSystem ? `#include <${path}>` : `#include "${path}"`);
    } else if (item.kind === "verbatim") {
      isIncluding &&= item.text.startsWith("#");
      body.push(...verbatimLines(item, isOwn));
    } else if (item.kind === "class") {
      isIncluding = false;
      const one = classes.get(item.name);
      if (one !== undefined && one.syntax === item) body.push(...classLines(one, isOwn));
    }
  }
  lines.push(...forwardLines(body, header, model), ...body);
  return `${lines.join("\n")}\n`;
}

function verbatimLines(item: VerbatimSyntax, isOwn: boolean): string[] {
  return isOwn ? [lineDirective(item), item.text] : [item.text];
}

/** Every class that the text names and does not declare. */
function forwardLines(body: readonly string[], header: HeaderModel, model: InterfaceModel): string[] {
  const own = new Set(header.classes.map(({ name }) => name));
  const words = new Set(body.join("\n").match(/[A-Za-z_]\w*/g));
  const named = [...model.classes.keys()].filter((name) => words.has(name) && !own.has(name));
  return [...named, ...own].map((name) => `class ${name};`);
}

function classLines(one: ClassModel, isOwn: boolean): string[] {
  const { name, base, syntax, methods } = one;
  const lines: string[] = [];
  if (isOwn) lines.push(`struct ${name}_IVars;`, `struct ${name}_LocalIVars;`);
  for (const method of methods) if (isDispatched(method)) lines.push(...macroLines(method, name));
  if (isOwn) lines.push(lineDirective(syntax));
  lines.push(`class ${name}${base === null ? "" : ` : public ${base.name}`} {`, "public:");
  if (isOwn) lines.push(`    union { ${name}_IVars * ivars = nullptr; ${name}_LocalIVars * lvars; };`);
  if (base !== null) lines.push(`    using super = ${base.name};`);
  lines.push(`    DRYDOCK_CLASS(${name})`);
  const bySyntax = new Map(methods.map((method) => [method.syntax, method]));
  for (const member of syntax.members) {
    if (member.kind === "verbatim") {
      lines.push(...verbatimLines(member, isOwn));
      continue;
    }
    const method = bySyntax.get(member);
    if (method === undefined) continue;
    const declarations = isDispatched(method) ? dispatchedLines(method) : [localLine(method)];
    for (const line of declarations) {
      if (isOwn) lines.push(lineDirective(member));
      lines.push(`    ${line}`);
    }
  }
  lines.push("};", `extern OSMetaClass * g${name}MetaClass;`);
  return lines;
}

function macroLines(method: MethodModel, className: string): string[] {
  const symbol = symbolName(method.symbol);
  const id = `${className}_${symbol}_ID`;
  return [
    `#define ${id} ${idName(method) === id ? idText(method) : idName(method)}`,
    `#define ${className}_${symbol}_Args ${parameterList(method.syntax)}`,
  ];
}

function localLine({ syntax, isOverride }: MethodModel): string {
  const before = syntax.isStatic ? "static " : syntax.isVirtual && !isOverride ? "virtual " : "";
  const behind = `${syntax.isConst ? " const" : ""}${isOverride ? " override" : ""}${syntax.isFinal ? " final" : ""}`;
  const head = `${before}${syntax.returns.text} ${syntax.name}(${parameterList(syntax, true)})${behind}`;
  return syntax.body === null ? `${head};` : `${head} ${syntax.body}`;
}

function dispatchedLines(method: MethodModel): string[] {
  const { syntax, isOverride } = method;
  const { name } = syntax;
  const result = syntax.returns.text;
  const list = parameterList(syntax, true);
  if (syntax.isStatic) return [`static ${result} ${name}(${list});`];
  const behind = syntax.isConst ? " const" : "";
  const lines: string[] = [];
  if (!isOverride) {
    const tag = "OSDispatchMethod supermethod = NULL";
    lines.push(`${result} ${name}(${list === "" ? tag : `${list}, ${tag}`})${behind};`);
    if (method.callback !== null)
      lines.push(`kern_return_t CreateAction${name}(size_t referenceSize, OSAction ** action);`);
  }
  const plain = parameterList(syntax);
  lines.push(
    `${isOverride ? "" : "virtual "}${result} ${name}_Impl(${plain})${behind}${isOverride ? " override" : ""};`,
  );
  return lines;
}

/** Names that a class declares inside itself. */
export function nestedNames({ syntax }: ClassModel): Set<string> {
  const found = new Declarations();
  for (const member of syntax.members) if (member.kind === "verbatim") found.read(member);
  return new Set([
    ...found.typedefs.keys(),
    ...found.arrays.keys(),
    ...found.enumerations.keys(),
    ...found.structures.keys(),
  ]);
}
