// One source file as rules see it: functions with their class, classes with their members, calls, suppressions.

import type { Place } from "../facts/evidence-source.ts";
import type { Annotation } from "./rewrite.ts";
import { keyOf, type Syntax } from "./syntax.ts";

/** What the content says the file is. A fragment has neither includes nor definitions that would tell. */
export type SourceLanguage = "iig" | "header" | "c++" | "fragment";

export interface SourceCall {
  readonly node: Syntax;
  /** The last name: "MemoryRead32". */
  readonly name: string;
  /** "IODMACommand" of `IODMACommand::Create(...)`, "" for none. */
  readonly scope: string;
  /** `ivars->pci` of `ivars->pci->MemoryRead32(...)`. */
  readonly receiver: Syntax | null;
  readonly args: readonly Syntax[];
}

export interface SourceParameter {
  readonly name: string;
  /** As written, without the name: "OSAction *". */
  readonly type: string;
}

/** A function with a body. */
export interface SourceFunction {
  readonly node: Syntax;
  readonly body: Syntax;
  /** "" outside of a class. */
  readonly className: string;
  /** Without `_Impl`; of `IMPL(MyDriver, Start)` it is "Start". */
  readonly name: string;
  readonly nameNode: Syntax;
  readonly returnType: string;
  /** Empty for the IMPL form, whose parameters come from the generated header. */
  readonly parameters: readonly SourceParameter[];
  readonly calls: readonly SourceCall[];
}

export interface SourceMethod {
  readonly node: Syntax;
  readonly name: string;
  readonly isVirtual: boolean;
  readonly isOverride: boolean;
  readonly annotations: readonly Annotation[];
}

export interface SourceClass {
  readonly node: Syntax;
  readonly name: string;
  readonly bases: readonly string[];
  readonly methods: readonly SourceMethod[];
  /** Data members. */
  readonly fields: readonly Syntax[];
  readonly annotations: readonly Annotation[];
}

export interface SourceFile {
  readonly language: SourceLanguage;
  readonly text: string;
  readonly root: Syntax;
  readonly functions: readonly SourceFunction[];
  readonly classes: readonly SourceClass[];
  /** Those that are neither in a comment nor in a string. */
  readonly annotations: readonly Annotation[];
  /** Line, column and excerpt of a node or of an annotation. */
  placeOf(node: { readonly start: number }): Place;
}

/** Every call below a node. */
export function callsIn(node: Syntax): SourceCall[] {
  return node.all("call_expression").map(callOf);
}

function callOf(node: Syntax): SourceCall {
  const target = node.child("function");
  const args = node.child("arguments")?.children.filter((child) => child.kind !== "comment") ?? [];
  const none = { node, name: "", scope: "", receiver: null, args };
  if (target === null) return none;
  if (target.kind === "field_expression")
    return { ...none, name: lastName(target.child("field")), receiver: target.child("argument") };
  if (target.kind === "qualified_identifier")
    return { ...none, name: lastName(target), scope: target.child("scope")?.text ?? "" };
  return { ...none, name: lastName(target) };
}

function lastName(node: Syntax | null): string {
  return /([A-Za-z_~]\w*)\s*(?:<[^<>]*>)?$/.exec(node?.text ?? "")?.[1] ?? "";
}

export function sourceFileOf(
  root: Syntax,
  annotations: readonly Annotation[],
  placeAt: (offset: number) => Place,
): SourceFile {
  const quoted = root.all("comment", "string_literal", "raw_string_literal");
  const own = annotations.filter(
    ({ start }) => !quoted.some((node) => start >= node.start && start < node.end),
  );
  const { text } = root;
  const functions = root.all("function_definition").flatMap((node) => functionOf(node) ?? []);
  const classes = root.all("class_specifier", "struct_specifier").flatMap((node) => classOf(node, own) ?? []);
  return {
    language: languageOf(text, functions, classes, own),
    text,
    root,
    functions,
    classes,
    annotations: own,
    placeOf: ({ start }) => placeAt(start),
  };
}

function functionOf(node: Syntax): SourceFunction | null {
  const body = node.child("body");
  const declarator = node.all("function_declarator")[0];
  if (body === null || body.kind !== "compound_statement" || declarator === undefined) return null;
  if (declarator.start > body.start) return null;
  const nameNode = declarator.child("declarator");
  if (nameNode === null) return null;
  const parameters = (declarator.child("parameters")?.children ?? []).filter(({ kind }) =>
    kind.endsWith("parameter_declaration"),
  );
  const common = {
    node,
    body,
    nameNode,
    returnType: node.child("type")?.text ?? "",
    calls: callsIn(body),
  };
  if (nameNode.text === "IMPL" && parameters.length === 2)
    return { ...common, className: parameters[0].text, name: parameters[1].text, parameters: [] };
  const outer = node.above("class_specifier", "struct_specifier");
  return {
    ...common,
    className:
      nameNode.kind === "qualified_identifier"
        ? (nameNode.child("scope")?.text ?? "")
        : (outer?.child("name")?.text ?? ""),
    name: lastName(nameNode).replace(/_Impl$/, ""),
    parameters: parameters.map(parameterOf),
  };
}

function parameterOf(node: Syntax): SourceParameter {
  const name = node.child("declarator")?.all("identifier", "field_identifier")[0]?.text ?? "";
  const text = node.text;
  return { name, type: name === "" ? text : text.slice(0, text.lastIndexOf(name)).trim() };
}

function classOf(node: Syntax, annotations: readonly Annotation[]): SourceClass | null {
  const body = node.child("body");
  const name = node.child("name");
  if (body === null || name === null) return null;
  const bases = node.children
    .filter(({ kind }) => kind === "base_class_clause")
    .flatMap((clause) => clause.all("type_identifier").map(({ text }) => text));
  const members = body.children.filter(({ kind }) =>
    ["field_declaration", "declaration", "function_definition"].includes(kind),
  );
  const methods: SourceMethod[] = [];
  const fields: Syntax[] = [];
  members.forEach((member, index) => {
    const declarator = member.all("function_declarator")[0];
    const isCallable =
      declarator !== undefined &&
      declarator.above("parameter_list") === null &&
      !isPointerVariable(declarator);
    if (!isCallable) {
      // `enum { ... };` declares no member.
      if (
        member.kind === "field_declaration" &&
        member.child("declarator") !== null &&
        !/^\s*(?:using|typedef|static|friend)\b/.test(member.text)
      )
        fields.push(member);
      return;
    }
    const until = members[index + 1]?.start ?? body.end;
    methods.push({
      node: member,
      name: lastName(declarator.child("declarator")),
      isVirtual: /\bvirtual\b/.test(member.text.slice(0, declarator.start - member.start)),
      isOverride: /\b(?:override|final|APPLE_KEXT_OVERRIDE)\b/.test(
        member.text.slice(declarator.start - member.start),
      ),
      annotations: annotations.filter(({ start }) => start > member.start && start < until),
    });
  });
  return {
    node,
    name: name.text,
    bases,
    methods,
    fields,
    annotations: annotations.filter(({ start }) => start >= node.start && start < node.end),
  };
}

/** `void (*handler)(int);` is data. */
function isPointerVariable(declarator: Syntax): boolean {
  return declarator.child("declarator")?.kind === "parenthesized_declarator";
}

const interfaceWords = new Set([
  "TYPE",
  "QUEUENAME",
  "EXTENDS",
  "KERNEL",
  "LOCALONLY",
  "LOCALHOST",
  "NATIVE",
]);

function languageOf(
  text: string,
  functions: readonly SourceFunction[],
  classes: readonly SourceClass[],
  annotations: readonly Annotation[],
): SourceLanguage {
  const includes = [...text.matchAll(/^\s*#\s*include\s*[<"]([\w./+-]+)[>"]/gm)].map((match) => match[1]);
  const hasOutside = functions.some(
    (one) => one.nameNode.kind === "qualified_identifier" || one.parameters.length === 0,
  );
  const isInterface =
    includes.some((path) => path.endsWith(".iig")) ||
    annotations.some(({ name }) => interfaceWords.has(name));
  const isDefinition = functions.length > 0 && hasOutside;
  if (isInterface && !isDefinition) return "iig";
  if (isDefinition) return "c++";
  if (
    classes.length > 0 &&
    (includes.some((path) => path.endsWith(".h")) || /#\s*pragma once|#\s*ifndef/.test(text))
  )
    return "header";
  return functions.length > 0 ? "c++" : "fragment";
}

/** Values given to a variable in a function: initialisers and assignments, in the order of the text. */
export function valuesOf(body: Syntax, key: string): { readonly node: Syntax; readonly value: Syntax }[] {
  const found: { node: Syntax; value: Syntax }[] = [];
  for (const node of body.all("init_declarator", "assignment_expression")) {
    const isDeclaration = node.kind === "init_declarator";
    const left = node.child(isDeclaration ? "declarator" : "left");
    const value = node.child(isDeclaration ? "value" : "right");
    if (left === null || value === null) continue;
    const name = isDeclaration ? left.text.replace(/^[\s*&]+/, "").replace(/\[.*$/s, "") : keyOf(left);
    if (name === key) found.push({ node, value });
  }
  return found;
}

/** The variable whose address is given: `x` of `&x`; null for anything else. */
export function addressOf(argument: Syntax | undefined): string | null {
  if (argument?.kind !== "pointer_expression" || !argument.text.startsWith("&")) return null;
  const target = argument.child("argument");
  return target === null ? null : keyOf(target);
}

/** A whole number as C++ writes it; null for anything else. */
export function numberOf(node: Syntax | undefined | null): number | null {
  if (node?.kind !== "number_literal") return null;
  const text = node.text.replace(/'/g, "").replace(/[uUlL]+$/, "");
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : null;
}

/** Without casts and parentheses round it. */
export function bare(node: Syntax): Syntax {
  for (let inner = node; ; ) {
    const next = insideOf(inner);
    if (next === null) return inner;
    inner = next;
  }
}

function insideOf(node: Syntax): Syntax | null {
  if (node.kind === "cast_expression") return node.child("value");
  if (node.kind === "parenthesized_expression") return node.children.length === 1 ? node.children[0] : null;
  if (node.kind !== "call_expression" || !/^(?:static|reinterpret)_cast\b/.test(node.text)) return null;
  const args = node.child("arguments")?.children ?? [];
  return args.length === 1 ? args[0] : null;
}

/** True when the value of the call is used by nobody: it is a statement of its own, perhaps cast to void. */
export function isDropped(call: SourceCall): boolean {
  let { parent } = call.node;
  if (parent?.kind === "cast_expression" && /^\(\s*void\s*\)/.test(parent.text)) return false;
  while (parent?.kind === "parenthesized_expression") parent = parent.parent;
  return parent?.kind === "expression_statement";
}
