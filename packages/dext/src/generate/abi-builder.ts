// The table by which the host reads calls: every class with its methods, every structure with its layout, every number.

import type { AbiClass, AbiMethod, AbiStruct, AbiTable, AbiType } from "../abi/abi-table.ts";
import { type ClassModel, type InterfaceModel, type MethodModel, methodKey } from "../iig/model.ts";
import { abiTypeOf, layoutOf } from "./abi-types.ts";
import { parameterName } from "./cxx-text.ts";
import { methodId } from "./method-id.ts";

/** Of all classes of `model`: those of frameworks that it was resolved with, too. */
export function abiTableOf(model: InterfaceModel): AbiTable {
  const classes = new Map<string, AbiClass>();
  for (const one of model.classes.values()) classes.set(one.name, abiClassOf(one, model));
  const structs = new Map<string, AbiStruct>();
  for (const structure of model.declarations.structures.values()) {
    const layout = layoutOf(structure, model);
    if (layout !== null) structs.set(structure.name, layout);
  }
  const constants = new Map(
    [...model.declarations.constants.values()].map(({ name, value }) => [name, value]),
  );
  return { classes, structs, constants };
}

function abiClassOf(one: ClassModel, model: InterfaceModel): AbiClass {
  return {
    name: one.name,
    framework: one.framework ?? "",
    superName: one.base?.name ?? null,
    methods: one.methods.map((method) => abiMethodOf(method, one, model)),
  };
}

/** A method of a framework calls the host unless our runtime or, for init and free, its base has the body. */
export function hasImport({ isRuntime, name }: MethodModel, { framework, isWritten }: ClassModel): boolean {
  return framework !== null && !isWritten && !isRuntime && name !== "init" && name !== "free";
}

function abiMethodOf(method: MethodModel, owner: ClassModel, model: InterfaceModel): AbiMethod {
  const { syntax, kind, name, symbol, introducer } = method;
  const parameters = syntax.parameters.map((parameter, index) => ({
    name: parameterName(parameter, index),
    type: abiTypeOf(parameter.type, model),
  }));
  const result = abiTypeOf(syntax.returns, model);
  const handsOut = result.kind === "object" || parameters.some(({ type }) => isObjectOut(type, model));
  return {
    name,
    symbol,
    kind,
    isStatic: syntax.isStatic,
    isVirtual: method.isVirtual,
    hasImport: hasImport(method, owner),
    id: kind === "local" ? null : methodId(introducer, symbol),
    queueName: method.queueName,
    callback: method.callback === null ? null : methodKey(method.callback),
    parameters,
    result,
    ...(handsOut ? { returns: name.startsWith("Get") || name.startsWith("get") ? "+0" : "+1" } : {}),
    source: method.note?.source ?? syntax.file,
    mark: method.note?.mark ?? "established",
  };
}

function isObjectOut(type: AbiType, { classes }: InterfaceModel): boolean {
  return type.kind === "pointer" && type.isOut === true && classes.has(type.of ?? "");
}
