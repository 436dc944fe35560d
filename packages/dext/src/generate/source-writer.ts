// The C++ behind a header: imports of the host, stubs that choose an implementation, thunks and records.

import { type ClassModel, type MethodModel, methodKey } from "../iig/model.ts";
import { hasImport } from "./abi-builder.ts";
import {
  argumentList,
  declared,
  idName,
  importName,
  isDispatched,
  lineDirective,
  outside,
  parameterList,
  parameterName,
  quoted,
  symbolName,
} from "./cxx-text.ts";
import { nestedNames } from "./header-writer.ts";

/** Everything that one class needs outside of its header. Positions are the user's, for a class of a driver. */
export function classSource(one: ClassModel): string[] {
  const nested = nestedNames(one);
  const lines: string[] = [];
  for (const method of one.methods) {
    const pieces = [
      ...(hasImport(method, one) ? importLines(method, one) : []),
      ...inheritedBody(method, one),
      ...(isDispatched(method) && !method.syntax.isStatic && !method.isOverride
        ? stubLines(method, one, nested)
        : []),
      ...(isThunked(method) ? [thunkLine(method, one, nested)] : []),
    ];
    if (pieces.length > 0 && one.framework === null) lines.push(lineDirective(method.syntax));
    lines.push(...pieces);
  }
  if (one.framework === null) lines.push(lineDirective(one.syntax));
  lines.push(...recordLines(one));
  return lines;
}

const unthunked: ReadonlySet<string> = new Set(["init", "free", "retain", "release", "isEqualTo"]);

function isThunked({ syntax, isVirtual, name }: MethodModel): boolean {
  return isVirtual && !syntax.isStatic && !unthunked.has(name);
}

/** The import and the body that calls it. */
function importLines({ syntax, symbol, kind }: MethodModel, one: ClassModel): string[] {
  const { name, framework } = one;
  const own = importName(name, symbol);
  const self = syntax.isStatic ? [] : [syntax.isConst ? "const void * self" : "void * self"];
  const parameters = [
    ...self,
    ...syntax.parameters.map((parameter, index) => declared(parameter.type, parameterName(parameter, index))),
  ];
  const inner = [...(syntax.isStatic ? [] : ["this"]), ...syntax.parameters.map(parameterName)].join(", ");
  const result = syntax.returns.text;
  const suffix = isDispatched({ kind }) && !syntax.isStatic ? "_Impl" : "";
  const check =
    syntax.isStatic || suffix !== ""
      ? []
      : [`    DRYDOCK_RECEIVER(this, ${quoted(`${name}::${syntax.name}`)});`];
  return [
    `DRYDOCK_IMPORT(${quoted(framework ?? "")}, ${quoted(`${name}.${symbol}`)}) ${result} ${own}(${parameters.join(", ")});`,
    `${result} ${name}::${syntax.name}${suffix}(${parameterList(syntax)})${syntax.isConst ? " const" : ""}`,
    "{",
    ...check,
    `    ${result === "void" ? "" : "return "}${own}(${inner});`,
    "}",
  ];
}

/** init and free of a framework's class do what the base's do. */
function inheritedBody({ syntax, isRuntime, name }: MethodModel, one: ClassModel): string[] {
  if (one.framework === null || one.isWritten || isRuntime || (name !== "init" && name !== "free")) return [];
  const call = `super::${name}()`;
  return [
    `${syntax.returns.text} ${one.name}::${name}() { ${syntax.returns.text === "void" ? "" : "return "}${call}; }`,
  ];
}

function stubLines(method: MethodModel, one: ClassModel, nested: ReadonlySet<string>): string[] {
  const { syntax } = method;
  const { name } = one;
  const result = syntax.returns.text;
  const list = parameterList(syntax);
  const tag = "OSDispatchMethod supermethod";
  const behind = syntax.isConst ? " const" : "";
  const selfType = `${syntax.isConst ? "const " : ""}${name} *`;
  const types = [selfType, ...syntax.parameters.map(({ type }) => declared(type, "").trimEnd())].join(", ");
  const passed = ["this", ...syntax.parameters.map(parameterName)].join(", ");
  const give = result === "void" ? "" : "return ";
  const superCall = `DRYDOCK_SUPER(${idName(method)}, supermethod, ${result} (*)(${types}))(${passed})`;
  // REMOTE, in a description: what a dext calls is the kernel's, whatever body its own class gives the method.
  const isRemote = hasImport(method, one) && syntax.attributes.some(({ word }) => word === "REMOTE");
  const lines = [
    `${outside(result, name, nested)} ${name}::${syntax.name}(${list === "" ? tag : `${list}, ${tag}`})${behind}`,
    "{",
    `    DRYDOCK_RECEIVER(this, ${quoted(`${name}::${syntax.name}`)});`,
    result === "void"
      ? `    if (supermethod != NULL) { ${superCall}; return; }`
      : `    if (supermethod != NULL) return ${superCall};`,
    `    ${give}${isRemote ? `${importName(name, method.symbol)}(${passed})` : `${syntax.name}_Impl(${argumentList(syntax)})`};`,
    "}",
  ];
  if (method.callback !== null) {
    const typeName = quoted(`OSAction_${name}_${syntax.name}`);
    lines.push(
      `kern_return_t ${name}::CreateAction${syntax.name}(size_t referenceSize, OSAction ** action)`,
      "{",
      `    return drydock_create_action(this, ${idName(method)}, ${idName(method.callback)}, referenceSize, ${typeName}, action);`,
      "}",
    );
  }
  return lines;
}

function thunkName({ symbol }: MethodModel, { name }: ClassModel): string {
  return `${name}_${symbolName(symbol)}_thunk`;
}

function thunkLine(method: MethodModel, one: ClassModel, nested: ReadonlySet<string>): string {
  const { syntax, introducer } = method;
  const { name } = one;
  const constness = syntax.isConst ? "const " : "";
  const result = outside(syntax.returns.text, name, nested);
  const parameters = [`${constness}${introducer} * self`];
  for (const [index, parameter] of syntax.parameters.entries())
    parameters.push(outside(declared(parameter.type, parameterName(parameter, index)), name, nested));
  const suffix = isDispatched(method) ? "_Impl" : "";
  const call = `static_cast<${constness}${name} *>(self)->${name}::${syntax.name}${suffix}(${argumentList(syntax)})`;
  const give = result === "void" ? "" : "return ";
  return `static ${result} ${thunkName(method, one)}(${parameters.join(", ")}) { ${give}${call}; }`;
}

function recordLines(one: ClassModel): string[] {
  const { name, base } = one;
  const rows = one.methods.filter(isThunked).map((method) => {
    const callback = method.callback === null ? "nullptr" : quoted(methodKey(method.callback));
    const queue = method.queueName === null ? "nullptr" : quoted(method.queueName);
    const id = isDispatched(method) ? idName(method) : "0";
    return `    { ${id}, ${quoted(methodKey(method))}, ${callback}, ${queue}, (void *) ${thunkName(method, one)} },`;
  });
  const list = `${name}_methods`;
  const rowLines =
    rows.length === 0
      ? [`static const DrydockMethod ${list}[0] = {};`]
      : [`static const DrydockMethod ${list}[] = {`, ...rows, "};"];
  return [...rowLines, `DRYDOCK_DEFINE_CLASS(${name}, ${base?.name ?? "OSObject"}, ${list})`];
}
