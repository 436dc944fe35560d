// What an .iig file says, as written: classes with their methods, and the C++ between them.

import type { SourcePosition } from "./source-problem.ts";

/** A type as an interface may name it: words, stars, at most one reference. */
export interface TypeSyntax {
  /** With one blank between words: "const uint8_t *". Without the bounds of an array. */
  readonly text: string;
  /** Without const, struct and stars: "uint8_t", "IOUSBHostPipe", "driverkit::serial::SerialPortInterface". */
  readonly base: string;
  readonly pointers: number;
  readonly isReference: boolean;
  /** What is named, or pointed to in the end, is const. */
  readonly isConst: boolean;
  /** "[32]" of "segments[32]"; null: no array. */
  readonly array: string | null;
  /** A pointer to a function or a block whose type is written round its name: the words before and behind the name. */
  readonly around: { readonly before: string; readonly behind: string } | null;
}

export interface AttributeSyntax extends SourcePosition {
  /** Without IIG_: "LOCALONLY", "TYPE", "QUEUENAME". */
  readonly word: string;
  /** "Class::Method" of TYPE(Class::Method). */
  readonly argument: string | null;
}

export interface ParameterSyntax extends SourcePosition {
  readonly type: TypeSyntax;
  /** Null: none was written. */
  readonly name: string | null;
  readonly attributes: readonly AttributeSyntax[];
  readonly defaultValue: string | null;
}

export type Access = "public" | "protected" | "private";

export interface MethodSyntax extends SourcePosition {
  readonly kind: "method";
  readonly name: string;
  readonly access: Access;
  readonly isStatic: boolean;
  readonly isVirtual: boolean;
  readonly isConst: boolean;
  readonly isOverride: boolean;
  readonly isFinal: boolean;
  /** "= 0". */
  readonly isPure: boolean;
  readonly isVariadic: boolean;
  readonly returns: TypeSyntax;
  readonly parameters: readonly ParameterSyntax[];
  readonly attributes: readonly AttributeSyntax[];
  /** With its braces; null: only declared. */
  readonly body: string | null;
  /** The note that a description keeps for it, see `SourceNote`. */
  readonly note: SourceNote | null;
}

/** C++ that is handed on as it stands: nested and free structures, enumerations, functions, defines. */
export interface VerbatimSyntax extends SourcePosition {
  readonly kind: "verbatim";
  readonly access: Access;
  readonly text: string;
  readonly note: SourceNote | null;
}

export interface ClassSyntax extends SourcePosition {
  readonly kind: "class";
  readonly name: string;
  readonly attributes: readonly AttributeSyntax[];
  /** Null: written without one. */
  readonly base: (SourcePosition & { readonly name: string }) | null;
  readonly members: readonly (MethodSyntax | VerbatimSyntax)[];
  readonly note: SourceNote | null;
}

export interface IncludeSyntax extends SourcePosition {
  readonly kind: "include";
  /** "DriverKit/IOService.iig". */
  readonly path: string;
  readonly isSystem: boolean;
}

export interface ImplementationSyntax extends SourcePosition {
  readonly kind: "implementation";
  readonly text: string;
}

/** `#pragma header "DriverKit/IOService.h"` of a description: what follows is declared in that header. */
export interface SectionSyntax extends SourcePosition {
  readonly kind: "section";
  readonly path: string;
  /** `... written`: the header stands in our C++ runtime and is not generated. */
  readonly isWritten: boolean;
}

export type ItemSyntax = ClassSyntax | VerbatimSyntax | IncludeSyntax | ImplementationSyntax | SectionSyntax;

export interface FileSyntax {
  /** As it was given: the name that positions carry. */
  readonly file: string;
  readonly items: readonly ItemSyntax[];
}

/**
 * Where a description has its facts from: `#pragma source "families 1.2" established`, which holds for what follows it.
 * Established: seen in open source, a shipped header or several drivers. Likely: inferred from how drivers use it, or from
 * documentation that leaves the point open. Unverified: nothing public says so.
 */
export interface SourceNote {
  readonly source: string;
  readonly mark: "established" | "likely" | "unverified";
}
