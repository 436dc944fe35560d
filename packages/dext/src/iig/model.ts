// What the classes of a project and its frameworks are, once every name has been looked up.

import type { Declarations } from "./declarations.ts";
import type { ClassSyntax, FileSyntax, MethodSyntax, SourceNote } from "./syntax.ts";

/** Dispatched: called as a message and implemented as NAME_Impl. Callback: the same, called on an OSAction. Local: plain C++. */
export type MethodKind = "dispatched" | "callback" | "local";

export interface MethodModel {
  /** The class that declares it here. */
  readonly owner: string;
  /** The class that declared it first. */
  readonly introducer: string;
  readonly name: string;
  /** Unique in the introducer: "Open", and "CopyStringDescriptor.2" for the second of that name. */
  readonly symbol: string;
  readonly kind: MethodKind;
  readonly isVirtual: boolean;
  readonly isOverride: boolean;
  /** The body is C++ of our runtime. */
  readonly isRuntime: boolean;
  readonly queueName: string | null;
  /** Of TYPE: the callback that this method answers. */
  readonly callback: MethodModel | null;
  readonly note: SourceNote | null;
  readonly syntax: MethodSyntax;
}

export interface ClassModel {
  readonly name: string;
  /** Null: the driver's own. */
  readonly framework: string | null;
  /** "DriverKit/IOService.h", "MyDriver.h". */
  readonly header: string;
  /** The header stands in our runtime. */
  readonly isWritten: boolean;
  readonly base: ClassModel | null;
  readonly methods: readonly MethodModel[];
  readonly note: SourceNote | null;
  readonly syntax: ClassSyntax;
}

/** One header to be made: a section of a description, or an .iig file of a driver. */
export interface HeaderModel {
  readonly framework: string | null;
  readonly path: string;
  readonly isWritten: boolean;
  readonly source: FileSyntax;
  readonly classes: readonly ClassModel[];
}

export interface InterfaceModel {
  readonly classes: ReadonlyMap<string, ClassModel>;
  readonly headers: readonly HeaderModel[];
  readonly declarations: Declarations;
}

/** From a class up to OSObject. */
export function* lineageOf(model: ClassModel | null): Generator<ClassModel> {
  for (let at = model; at !== null; at = at.base) yield at;
}

/** What a method of `model` may be called by: its own and all inherited ones, the nearest first. */
export function* methodsOf(model: ClassModel | null): Generator<MethodModel> {
  for (const one of lineageOf(model)) yield* one.methods;
}

/** "IOService.Start": the name by which host and records know a method. */
export function methodKey({ introducer, symbol }: MethodModel): string {
  return `${introducer}.${symbol}`;
}
