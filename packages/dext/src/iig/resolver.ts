// Looks every name up: bases, overrides and the kind they inherit, TYPE with its callback; and says what does not fit.

import { nearestName } from "@drydock/core/base/near-names";
import { isSameType } from "./basic-types.ts";
import { Declarations } from "./declarations.ts";
import {
  type ClassModel,
  type HeaderModel,
  type InterfaceModel,
  type MethodModel,
  methodsOf,
} from "./model.ts";
import type { ProblemList, SourcePosition } from "./source-problem.ts";
import type { AttributeSyntax, ClassSyntax, FileSyntax, MethodSyntax, ParameterSyntax } from "./syntax.ts";

/** A header before its names were looked up. */
export interface HeaderSource {
  readonly framework: string | null;
  readonly path: string;
  readonly isWritten: boolean;
  readonly source: FileSyntax;
}

export interface ResolveOptions {
  /** What the frameworks declare; null when these are the frameworks. */
  readonly known: InterfaceModel | null;
  /** Classes that exist and are not described: name to framework. */
  readonly uncovered: ReadonlyMap<string, string>;
}

/** `headers` of one project. What is wrong is added to `problems`; the model holds whatever could be understood. */
export function resolveInterface(
  headers: readonly HeaderSource[],
  { known, uncovered }: ResolveOptions,
  problems: ProblemList,
): InterfaceModel {
  const resolver = new Resolver(headers, known, uncovered, problems);
  return resolver.resolve();
}

interface Pending {
  readonly header: HeaderSource;
  readonly syntax: ClassSyntax;
}

const alwaysLocal: ReadonlySet<string> = new Set(["init", "free", "retain", "release", "isEqualTo"]);

class Resolver {
  readonly #headers: readonly HeaderSource[];
  readonly #known: InterfaceModel | null;
  readonly #uncovered: ReadonlyMap<string, string>;
  readonly #problems: ProblemList;
  readonly #declarations = new Declarations();
  readonly #classes: Map<string, ClassModel>;
  readonly #pending = new Map<string, Pending>();
  readonly #resolving = new Set<string>();

  constructor(
    headers: readonly HeaderSource[],
    known: InterfaceModel | null,
    uncovered: ReadonlyMap<string, string>,
    problems: ProblemList,
  ) {
    this.#headers = headers;
    this.#known = known;
    this.#uncovered = uncovered;
    this.#problems = problems;
    this.#classes = new Map(known?.classes ?? []);
    if (known !== null) this.#declarations.addAll(known.declarations);
  }

  resolve(): InterfaceModel {
    for (const header of this.#headers) this.#collect(header);
    const models: HeaderModel[] = this.#headers.map((header) => ({
      ...header,
      classes: header.source.items.flatMap((item) => {
        if (item.kind !== "class" || this.#pending.get(item.name)?.syntax !== item) return [];
        const model = this.#classOf(item.name);
        return model === null ? [] : [model];
      }),
    }));
    return { classes: this.#classes, headers: models, declarations: this.#declarations };
  }

  #collect(header: HeaderSource): void {
    for (const item of header.source.items) {
      if (item.kind === "verbatim") this.#declarations.read(item);
      if (item.kind !== "class") continue;
      for (const member of item.members) if (member.kind === "verbatim") this.#declarations.read(member);
      const framework = this.#known?.classes.get(item.name)?.framework ?? null;
      const other = this.#pending.get(item.name)?.syntax;
      if (framework !== null)
        this.#problems.error(
          item,
          `class ${item.name} exists already in ${framework}`,
          "give the driver's class a name of its own",
        );
      else if (other !== undefined)
        this.#problems.error(item, `class ${item.name} was declared before, at ${placeText(other)}`);
      else this.#pending.set(item.name, { header, syntax: item });
    }
  }

  #classOf(name: string): ClassModel | null {
    const done = this.#classes.get(name);
    if (done !== undefined) return done;
    const pending = this.#pending.get(name);
    if (pending === undefined || this.#resolving.has(name)) return null;
    this.#resolving.add(name);
    const { header, syntax } = pending;
    const base = this.#baseOf(syntax, header);
    const model: ClassModel = {
      name,
      framework: header.framework,
      header: header.path,
      isWritten: header.isWritten,
      base,
      methods: [],
      note: syntax.note,
      syntax,
    };
    const extended = syntax.attributes.find(({ word }) => word === "EXTENDS");
    if (extended !== undefined && header.framework === null)
      this.#problems.error(
        extended,
        `EXTENDS adds to a class of a framework, which a driver cannot`,
        "derive a class from it instead",
      );
    const methods: MethodModel[] = [];
    const isLocalClass = syntax.attributes.some(({ word }) => word === "LOCALONLY");
    for (const member of syntax.members) {
      if (member.kind !== "method") continue;
      const method = this.#method(member, model, methods, isLocalClass);
      if (method !== null) methods.push(method);
    }
    const whole = { ...model, methods };
    this.#classes.set(name, whole);
    this.#resolving.delete(name);
    return whole;
  }

  #baseOf(syntax: ClassSyntax, header: HeaderSource): ClassModel | null {
    const { base, name } = syntax;
    if (base === null) {
      const isRoot = header.framework !== null;
      const isExtension = syntax.attributes.some(({ word }) => word === "EXTENDS");
      if (!isRoot && !isExtension)
        this.#problems.error(
          syntax,
          `class ${name} has no base, so the system cannot make one`,
          `write class ${name} : public IOService, or another class of DriverKit`,
        );
      return null;
    }
    if (this.#resolving.has(base.name)) {
      this.#problems.error(base, `class ${name} is among the bases of its own base ${base.name}`);
      return null;
    }
    const found = this.#classOf(base.name);
    if (found === null && !this.#pending.has(base.name)) this.#tellUnknownBase(name, base);
    return found;
  }

  #tellUnknownBase(name: string, base: SourcePosition & { readonly name: string }): void {
    const framework = this.#uncovered.get(base.name);
    if (framework !== undefined) {
      this.#problems.error(
        base,
        `${base.name} is of ${framework}, which is not described here yet`,
        "drydock dext covers the classes that its page of frameworks lists",
      );
      return;
    }
    const near = nearestName(base.name, [...this.#classes.keys(), ...this.#pending.keys()], 3);
    this.#problems.error(
      base,
      `no .iig file declares ${base.name}, the base of ${name}`,
      near === null
        ? `a class that a plain header declares has no dispatch code: move ${base.name} into an .iig file, or include the one that declares it`
        : `did you mean ${near}?`,
    );
  }

  #method(
    syntax: MethodSyntax,
    owner: ClassModel,
    before: readonly MethodModel[],
    isLocalClass: boolean,
  ): MethodModel | null {
    const base = this.#overridden(syntax, owner);
    const twin = before.find(
      ({ name, syntax: other }) => name === syntax.name && this.#sameParameters(other, syntax),
    );
    if (twin !== undefined) {
      this.#problems.error(
        syntax,
        `${owner.name}::${syntax.name} was declared before, at ${placeText(twin.syntax)}`,
      );
      return null;
    }
    if (syntax.isOverride && base === null) {
      this.#tellNothingToOverride(syntax, owner);
      return null;
    }
    const type = syntax.attributes.find(({ word }) => word === "TYPE");
    const callback = type === undefined ? null : this.#callback(type, syntax, owner, before);
    if (type !== undefined && callback === null) return null;
    if (base !== null) this.#checkOverride(syntax, base, owner);
    const isNewLocal =
      isLocalClass ||
      alwaysLocal.has(syntax.name) ||
      syntax.attributes.some(({ word }) => word === "LOCALONLY");
    const hasTarget = syntax.parameters.some(({ attributes }) =>
      attributes.some(({ word }) => word === "TARGET"),
    );
    const kind =
      base?.kind ?? (isNewLocal ? "local" : hasTarget && type === undefined ? "callback" : "dispatched");
    const sameName = before.filter(
      ({ name, introducer }) => name === syntax.name && introducer === owner.name,
    ).length;
    const model: MethodModel = {
      owner: owner.name,
      introducer: base?.introducer ?? owner.name,
      name: syntax.name,
      symbol: base?.symbol ?? (sameName === 0 ? syntax.name : `${syntax.name}.${sameName + 1}`),
      kind,
      isVirtual:
        syntax.isVirtual || base !== null || syntax.isOverride || (kind !== "local" && !syntax.isStatic),
      isOverride: base !== null,
      isRuntime: syntax.attributes.some(({ word }) => word === "RUNTIME"),
      queueName: this.#queueName(syntax, base),
      callback: callback ?? base?.callback ?? null,
      note: syntax.note,
      syntax,
    };
    if (owner.framework === null) this.#checkOwn(model, base);
    return model;
  }

  /** The method of a base that has this name and these parameters. */
  #overridden(syntax: MethodSyntax, owner: ClassModel): MethodModel | null {
    for (const method of methodsOf(owner.base)) {
      if (method.name !== syntax.name || method.syntax.isStatic || !method.isVirtual) continue;
      if (this.#sameParameters(method.syntax, syntax) && method.syntax.isConst === syntax.isConst)
        return method;
    }
    return null;
  }

  #sameParameters(one: MethodSyntax, other: MethodSyntax): boolean {
    return this.#firstDifference(one.parameters, other.parameters) === null;
  }

  /** Index of the first parameter that differs, which may be the end of the shorter list. */
  #firstDifference(one: readonly ParameterSyntax[], other: readonly ParameterSyntax[]): number | null {
    const length = Math.max(one.length, other.length);
    for (let index = 0; index < length; index++) {
      const [left, right] = [one[index], other[index]];
      if (left === undefined || right === undefined) return index;
      if (!isSameType(left.type, right.type, this.#declarations)) return index;
    }
    return null;
  }

  #tellNothingToOverride(syntax: MethodSyntax, owner: ClassModel): void {
    if (owner.base === null) return;
    const candidates = [...methodsOf(owner.base)];
    const same = candidates.find(({ name }) => name === syntax.name);
    if (same !== undefined) {
      this.#problems.error(
        syntax,
        `${owner.name}::${syntax.name} overrides nothing: ${this.#differenceText(syntax, same)}`,
        `declare it as ${declarationText(same.syntax)}`,
      );
      return;
    }
    const near = nearestName(syntax.name, new Set(candidates.map(({ name }) => name)), 3);
    this.#problems.error(
      syntax,
      `${owner.name}::${syntax.name} overrides nothing: no class from ${owner.base.name} up has a method ${syntax.name}`,
      near === null ? "leave override out if the method is new" : `did you mean ${near}?`,
    );
  }

  #differenceText(syntax: MethodSyntax, other: MethodModel): string {
    const full = `${other.owner}::${other.name}`;
    if (other.syntax.isStatic) return `${full} is static`;
    if (!other.isVirtual) return `${full} is not virtual`;
    const index = this.#firstDifference(syntax.parameters, other.syntax.parameters);
    if (index === null) return `${full} is ${other.syntax.isConst ? "" : "not "}const`;
    return this.#parameterDifference(index, syntax.parameters, other.syntax.parameters, full);
  }

  #parameterDifference(
    index: number,
    own: readonly ParameterSyntax[],
    wanted: readonly ParameterSyntax[],
    name: string,
  ): string {
    const [left, right] = [own[index], wanted[index]];
    if (left === undefined || right === undefined)
      return `it has ${countText(own.length)}, and ${name} has ${wanted.length}`;
    return `parameter ${index + 1} is ${parameterText(left)}, and of ${name} it is ${parameterText(right)}`;
  }

  #checkOverride(syntax: MethodSyntax, base: MethodModel, owner: ClassModel): void {
    const full = `${base.owner}::${base.name}`;
    if (!isSameType(syntax.returns, base.syntax.returns, this.#declarations))
      this.#problems.error(
        syntax,
        `${owner.name}::${syntax.name} returns ${syntax.returns.text}, and ${full} returns ${base.syntax.returns.text}`,
      );
    if (base.syntax.isFinal) this.#problems.error(syntax, `${full} is final and cannot be overridden`);
    const local = syntax.attributes.find(({ word }) => word === "LOCALONLY");
    if (local !== undefined && base.kind !== "local")
      this.#problems.warning(
        local,
        `${full} is dispatched, and its override is too: LOCALONLY changes nothing`,
        `implement ${syntax.name}_Impl`,
      );
    if (owner.framework !== null) return;
    for (const [index, parameter] of syntax.parameters.entries()) {
      const again = parameter.attributes.find(({ word }) => word === "TYPE");
      const inBase = base.syntax.parameters[index]?.attributes.some(({ word }) => word === "TYPE");
      if (again !== undefined && inBase === true)
        this.#problems.error(
          again,
          `the override of ${full} repeats TYPE, which the interface compiler refuses`,
          "leave TYPE out here",
        );
    }
  }

  #queueName(syntax: MethodSyntax, base: MethodModel | null): string | null {
    const own = syntax.attributes.find(({ word }) => word === "QUEUENAME");
    return own?.argument ?? base?.queueName ?? null;
  }

  #checkOwn(model: MethodModel, base: MethodModel | null): void {
    const { syntax, owner, name, kind } = model;
    const queue = syntax.attributes.find(({ word }) => word === "QUEUENAME");
    if (kind === "local") {
      if (queue !== undefined)
        this.#problems.warning(
          queue,
          `${owner}::${name} is local and runs where it is called: QUEUENAME changes nothing`,
        );
      return;
    }
    if (syntax.isVariadic)
      this.#problems.error(
        syntax,
        `${owner}::${name} is dispatched and cannot take ...`,
        "write LOCALONLY behind it",
      );
    if (syntax.body !== null)
      this.#problems.error(
        syntax,
        `${owner}::${name} is dispatched, so its body belongs into the .cpp`,
        `write it as ${owner}::${name}_Impl there, or LOCALONLY here`,
      );
    if (base === null && syntax.isStatic)
      this.#problems.error(
        syntax,
        `${owner}::${name} is static and dispatched, which only frameworks can have`,
        "write LOCALONLY behind it",
      );
    else if (base === null && !syntax.isVirtual && model.callback === null)
      this.#problems.warning(
        syntax,
        `${owner}::${name} is not virtual and not LOCALONLY: it is taken as dispatched, so ${name}_Impl is what the .cpp must have`,
        `write LOCALONLY behind it if only this process calls it, else virtual before it`,
      );
  }

  #callback(
    type: AttributeSyntax,
    syntax: MethodSyntax,
    owner: ClassModel,
    before: readonly MethodModel[],
  ): MethodModel | null {
    const parts = (type.argument ?? "").split("::");
    const callbackName = parts.at(-1)!;
    const className = parts.length > 1 ? parts.slice(0, -1).join("::") : owner.name;
    const holder = className === owner.name ? owner : this.#classOf(className);
    if (holder === null) {
      this.#tellUnknownCallbackClass(type, className);
      return null;
    }
    const candidates = holder === owner ? [...before, ...methodsOf(owner.base)] : [...methodsOf(holder)];
    const named = candidates.filter(({ name }) => name === callbackName);
    const callback = named.find(({ kind }) => kind === "callback") ?? named[0];
    if (callback === undefined) {
      const callbacks = candidates.filter(({ kind }) => kind === "callback").map(({ name }) => name);
      const near = nearestName(callbackName, callbacks, 4);
      const has =
        callbacks.length === 0
          ? `${className} has no callbacks`
          : `its callbacks are ${[...new Set(callbacks)].join(", ")}`;
      this.#problems.error(
        type,
        `${className} has no callback ${callbackName}`,
        near === null ? has : `did you mean TYPE(${className}::${near})?`,
      );
      return null;
    }
    return this.#matchesCallback(type, syntax, owner, callback) ? callback : null;
  }

  #tellUnknownCallbackClass(type: AttributeSyntax, className: string): void {
    const framework = this.#uncovered.get(className);
    const near = nearestName(className, this.#classes.keys(), 3);
    this.#problems.error(
      type,
      framework === undefined
        ? `TYPE names ${className || "nothing"}, which no .iig file declares`
        : `TYPE names ${className} of ${framework}, which is not described here yet`,
      framework === undefined && near !== null ? `did you mean ${near}?` : "write TYPE(Class::Method)",
    );
  }

  #matchesCallback(
    type: AttributeSyntax,
    syntax: MethodSyntax,
    owner: ClassModel,
    callback: MethodModel,
  ): boolean {
    const full = `${callback.owner}::${callback.name}`;
    if (callback.kind !== "callback") {
      this.#problems.error(
        type,
        `${full} is no callback: none of its parameters is a TARGET`,
        "TYPE names the method that the framework calls on an OSAction when work is done",
      );
      return false;
    }
    const index = this.#firstDifference(syntax.parameters, callback.syntax.parameters);
    if (index !== null) {
      const at = syntax.parameters[index] ?? syntax;
      const difference = this.#parameterDifference(
        index,
        syntax.parameters,
        callback.syntax.parameters,
        full,
      );
      this.#problems.error(
        at,
        `${owner.name}::${syntax.name} answers ${full}, but ${difference}`,
        `it takes (${parametersText(callback.syntax)})`,
      );
      return false;
    }
    if (!isSameType(syntax.returns, callback.syntax.returns, this.#declarations)) {
      const [own, wanted] = [syntax.returns.text, callback.syntax.returns.text];
      this.#problems.error(
        syntax,
        `${owner.name}::${syntax.name} answers ${full} and returns ${own}, which returns ${wanted}`,
      );
      return false;
    }
    return true;
  }
}

export function placeText({ file, line }: SourcePosition): string {
  return `${file}:${line}`;
}

function countText(count: number): string {
  return count === 1 ? "1 parameter" : `${count} parameters`;
}

function parameterText({ type, name }: ParameterSyntax): string {
  if (type.around !== null) return `"${type.around.before}${name ?? ""}${type.around.behind}"`;
  const text = `${type.text}${name === null ? "" : ` ${name}`}${type.array ?? ""}`;
  return JSON.stringify(text);
}

function parametersText(method: MethodSyntax): string {
  return method.parameters.map((parameter) => parameterText(parameter).slice(1, -1)).join(", ");
}

function declarationText(method: MethodSyntax): string {
  return `virtual ${method.returns.text} ${method.name}(${parametersText(method)})${method.isConst ? " const" : ""} override`;
}
