// The plain C of an interface: typedefs, enumerations, structures and numbers, as far as a host must know their sizes.

import { ProblemList } from "./source-problem.ts";
import type { SourceNote, TypeSyntax, VerbatimSyntax } from "./syntax.ts";
import { type Token, tokensOf } from "./tokens.ts";
import { behindBracket, parseParameter, parseType, splitAtCommas, textOf } from "./type-parser.ts";

export interface Field {
  readonly name: string;
  readonly type: TypeSyntax;
  /** Product of the array's bounds; 1 for none. */
  readonly count: number;
  /** Width of a bit field. */
  readonly bits: number | null;
}

export interface Structure {
  readonly name: string;
  readonly fields: readonly Field[];
  readonly isPacked: boolean;
  readonly isUnion: boolean;
  readonly note: SourceNote | null;
}

export interface Enumeration {
  readonly name: string;
  /** "uint32_t"; null: the compiler chooses int or unsigned int. */
  readonly underlying: string | null;
}

export interface ArrayType {
  readonly element: string;
  readonly count: number;
}

export interface Constant {
  readonly name: string;
  readonly value: bigint;
  readonly note: SourceNote | null;
}

/** What is not understood is absent here, and still reaches the compiler as it was written. */
export class Declarations {
  readonly typedefs = new Map<string, TypeSyntax>();
  readonly arrays = new Map<string, ArrayType>();
  readonly enumerations = new Map<string, Enumeration>();
  readonly structures = new Map<string, Structure>();
  readonly constants = new Map<string, Constant>();

  addAll(other: Declarations): void {
    for (const [name, value] of other.typedefs) this.typedefs.set(name, value);
    for (const [name, value] of other.arrays) this.arrays.set(name, value);
    for (const [name, value] of other.enumerations) this.enumerations.set(name, value);
    for (const [name, value] of other.structures) this.structures.set(name, value);
    for (const [name, value] of other.constants) this.constants.set(name, value);
  }

  /** Reads one piece, in its own words or nested in namespaces and extern "C". */
  read(piece: VerbatimSyntax): void {
    const ignored = new ProblemList(0);
    const tokens = tokensOf(piece.file, piece.text, ignored);
    new DeclarationReader(this, tokens, piece.note).read(0, tokens.length - 1, "", 0);
  }
}

/** Namespaces in namespaces. */
const deepestScope = 16;

class DeclarationReader {
  readonly #found: Declarations;
  readonly #tokens: readonly Token[];
  readonly #note: SourceNote | null;
  readonly #ignored = new ProblemList(0);

  constructor(found: Declarations, tokens: readonly Token[], note: SourceNote | null) {
    this.#found = found;
    this.#tokens = tokens;
    this.#note = note;
  }

  read(from: number, to: number, scope: string, depth: number): void {
    if (depth > deepestScope) return;
    let at = from;
    while (at < to) {
      const token = this.#tokens[at]!;
      if (token.kind === "directive") this.#define(token.text);
      if (token.text === "namespace" || (token.text === "extern" && this.#tokens[at + 1]?.kind === "text")) {
        const open = this.#indexOf("{", at, to);
        if (open < 0) return;
        const end = behindBracket(this.#tokens, open);
        const name = textOf(this.#tokens.slice(at + 1, open)).replace(/^inline /, "");
        this.read(
          open + 1,
          Math.min(end - 1, to),
          token.text === "extern" ? scope : `${scope}${name}::`,
          depth + 1,
        );
        at = end;
        continue;
      }
      at = this.#statement(at, to, scope);
    }
  }

  #indexOf(text: string, from: number, to: number): number {
    for (let at = from; at < to; at++) if (this.#tokens[at]!.text === text) return at;
    return -1;
  }

  #define(line: string): void {
    const found = /^#\s*define\s+([A-Za-z_]\w*)\s+(.+)$/s.exec(line);
    if (found === null) return;
    const tokens = tokensOf("", found[2]!, this.#ignored).slice(0, -1);
    this.#constant(found[1]!, this.#value(tokens));
  }

  #constant(name: string, value: bigint | null): void {
    if (value !== null) this.#found.constants.set(name, { name, value, note: this.#note });
  }

  /** Up to the ; outside of brackets. */
  #statement(from: number, to: number, scope: string): number {
    let at = from;
    while (at < to && this.#tokens[at]!.text !== ";") {
      const isOpen = /^[({[]$/.test(this.#tokens[at]!.text);
      at = isOpen ? behindBracket(this.#tokens, at) : at + 1;
    }
    const tokens = this.#tokens.slice(from, Math.min(at, to)).filter(({ kind }) => kind !== "directive");
    if (tokens.length > 0) this.#declaration(tokens, scope);
    return at + 1;
  }

  #declaration(tokens: readonly Token[], scope: string): void {
    const first = tokens[0]!.text;
    const isTypedef = first === "typedef";
    const rest = isTypedef ? tokens.slice(1) : tokens;
    const open = rest.findIndex(({ text }) => text === "{");
    const keyword = rest[0]?.text ?? "";
    if (/^(struct|union|enum)$/.test(keyword) && open >= 0) {
      const head = rest.slice(1, open);
      const end = behindBracket(rest, open);
      const body = rest.slice(open + 1, end - 1);
      const tail = rest.slice(end);
      const isPacked = [...head, ...tail].some(({ text }) => text === "packed" || text === "__packed__");
      const own = head.find(
        ({ text, kind }) => kind === "word" && !/^(class|struct|__attribute__|packed|__packed__)$/.test(text),
      );
      const alias = isTypedef
        ? tail.findLast(
            ({ text, kind }) => kind === "word" && !/^(__attribute__|packed|__packed__)$/.test(text),
          )
        : undefined;
      const name = own === undefined ? alias?.text : `${scope}${own.text}`;
      if (keyword === "enum") this.#enumeration(name ?? null, head, body);
      else if (name !== undefined) this.#structure(name, keyword === "union", isPacked, body);
      if (alias !== undefined && name !== undefined && alias.text !== name) this.#alias(alias.text, name);
    } else if (isTypedef) this.#typedef(rest);
    else if (first === "using" && tokens[2]?.text === "=") {
      const type = parseType(tokens.slice(3), tokens[0]!, this.#ignored);
      if (type !== null) this.#found.typedefs.set(tokens[1]!.text, type);
    } else if (first === "static" || first === "const" || first === "constexpr") {
      const equals = tokens.findIndex(({ text }) => text === "=");
      const name = tokens[equals - 1];
      if (equals > 0 && name !== undefined) this.#constant(name.text, this.#value(tokens.slice(equals + 1)));
    }
  }

  #alias(alias: string, name: string): void {
    const type = parseType(tokensOf("", name, this.#ignored).slice(0, -1), this.#tokens[0]!, this.#ignored);
    if (type !== null) this.#found.typedefs.set(alias, type);
  }

  #typedef(tokens: readonly Token[]): void {
    if (tokens.length === 0) return;
    const parameter = parseParameter(tokens, tokens[0]!, this.#ignored);
    if (parameter?.name == null) return;
    const count = parameter.type.array === null ? null : this.#count(parameter.type.array);
    if (count === null) this.#found.typedefs.set(parameter.name, parameter.type);
    else this.#found.arrays.set(parameter.name, { element: parameter.type.text, count });
  }

  /** The product of "[4][N]"; 0 for a bound that is no number. */
  #count(array: string): number {
    const tokens = tokensOf("", array, this.#ignored).slice(0, -1);
    let product = 1n;
    for (let at = 0; at < tokens.length; ) {
      const end = behindBracket(tokens, at);
      product *= this.#value(tokens.slice(at + 1, end - 1)) ?? 0n;
      at = Math.max(end, at + 1);
    }
    return Number(product);
  }

  #structure(name: string, isUnion: boolean, isPacked: boolean, body: readonly Token[]): void {
    const fields: Field[] = [];
    let line: Token[] = [];
    for (let at = 0; at < body.length; ) {
      const token = body[at]!;
      if (token.text === ";") {
        if (!this.#field(line, fields)) return;
        line = [];
        at += 1;
      } else {
        const end = /^[({[]$/.test(token.text) ? behindBracket(body, at) : at + 1;
        if (token.kind !== "directive") line.push(...body.slice(at, end));
        at = end;
      }
    }
    if (line.length === 0)
      this.#found.structures.set(name, { name, fields, isPacked, isUnion, note: this.#note });
  }

  /** False: a member that is no plain field, so the structure's layout is not known. */
  #field(tokens: readonly Token[], fields: Field[]): boolean {
    const plain = tokens.filter(({ text }) => text !== "mutable" && text !== "volatile");
    if (plain.length === 0) return true;
    if (plain.some(({ text }) => text === "{" || text === "static" || text === "using")) return false;
    const colon = plain.findIndex(({ text }) => text === ":");
    const bits = colon < 0 ? null : Number(this.#value(plain.slice(colon + 1)) ?? 0n);
    const parts = splitAtCommas(colon < 0 ? plain : plain.slice(0, colon));
    const parameter = parseParameter(parts[0]!, plain[0]!, this.#ignored);
    if (parameter?.name == null) return false;
    const add = (name: string, array: string | null): void => {
      fields.push({ name, type: parameter.type, count: array === null ? 1 : this.#count(array), bits });
    };
    add(parameter.name, parameter.type.array);
    for (const part of parts.slice(1)) add(part[0]!.text, part.length > 1 ? textOf(part.slice(1)) : null);
    return true;
  }

  #enumeration(name: string | null, head: readonly Token[], body: readonly Token[]): void {
    const colon = head.findIndex(({ text }) => text === ":");
    const underlying = colon < 0 ? null : textOf(head.slice(colon + 1));
    if (name !== null) this.#found.enumerations.set(name, { name, underlying });
    let next: bigint | null = 0n;
    for (const part of splitAtCommas(body)) {
      if (part.length === 0) continue;
      const equals = part.findIndex(({ text }) => text === "=");
      if (equals >= 0) next = this.#value(part.slice(equals + 1));
      this.#constant(part[0]!.text, next);
      if (next !== null) next += 1n;
    }
  }

  /** Null: not a number that we can work out. */
  #value(tokens: readonly Token[]): bigint | null {
    return new ConstantReader(tokens, this.#found.constants).whole();
  }
}

/** Numbers, known names, + - * | & << >> ~ and brackets. */
class ConstantReader {
  readonly #tokens: readonly Token[];
  readonly #known: ReadonlyMap<string, Constant>;
  #at = 0;

  constructor(tokens: readonly Token[], known: ReadonlyMap<string, Constant>) {
    this.#tokens = tokens;
    this.#known = known;
  }

  whole(): bigint | null {
    const value = this.#sum(0, 0);
    return this.#at === this.#tokens.length ? value : null;
  }

  #sum(level: number, depth: number): bigint | null {
    const signs = [["|"], ["^"], ["&"], ["<", ">"], ["+", "-"], ["*"]][level];
    if (signs === undefined) return this.#primary(depth);
    let left = this.#sum(level + 1, depth);
    while (left !== null && this.#at < this.#tokens.length && signs.includes(this.#tokens[this.#at]!.text)) {
      const sign = this.#tokens[this.#at]!.text;
      this.#at += 1;
      if (sign === "<" || sign === ">") {
        if (this.#tokens[this.#at]?.text !== sign) return null;
        this.#at += 1;
      }
      const right = this.#sum(level + 1, depth);
      if (right === null) return null;
      left = apply(sign, left, right);
      if (left !== null) left = BigInt.asIntN(128, left);
    }
    return left;
  }

  #primary(depth: number): bigint | null {
    const token = this.#tokens[this.#at];
    if (token === undefined || depth > 32) return null;
    this.#at += 1;
    if (token.text === "(") {
      const value = this.#sum(0, depth + 1);
      if (this.#tokens[this.#at]?.text !== ")") return null;
      this.#at += 1;
      return value;
    }
    if (token.text === "-" || token.text === "~") {
      const value = this.#primary(depth + 1);
      if (value === null) return null;
      return token.text === "-" ? -value : ~value;
    }
    if (token.kind === "number") {
      const found = /^(0[xX][0-9a-fA-F]{1,16}|\d{1,20})[uUlL]*$/.exec(token.text.replaceAll("'", ""));
      return found === null ? null : BigInt(found[1]!);
    }
    return this.#known.get(token.text)?.value ?? null;
  }
}

function apply(sign: string, left: bigint, right: bigint): bigint | null {
  switch (sign) {
    case "|":
      return left | right;
    case "^":
      return left ^ right;
    case "&":
      return left & right;
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
  }
  if (right < 0n || right > 63n) return null;
  return sign === "<" ? left << right : left >> right;
}
