// A walk over tokens: which lines #if keeps, where brackets close, what is handed on verbatim.

import { type Defines, evaluateCondition } from "./conditions.ts";
import type { ProblemList, SourcePosition } from "./source-problem.ts";
import type { Access, SourceNote, VerbatimSyntax } from "./syntax.ts";
import type { Token } from "./tokens.ts";
import { behindBracket, shown } from "./type-parser.ts";

interface OpenCondition {
  readonly token: Token;
  hasHeld: boolean;
  hasElse: boolean;
}

export class TokenCursor {
  readonly tokens: readonly Token[];
  readonly problems: ProblemList;
  readonly defines: Map<string, string>;
  readonly isDescription: boolean;
  readonly #file: string;
  readonly #open: OpenCondition[] = [];
  /** What `#pragma source` said last. */
  note: SourceNote | null = null;
  at = 0;

  constructor(
    file: string,
    tokens: readonly Token[],
    problems: ProblemList,
    defines: Defines,
    isDescription: boolean,
  ) {
    this.#file = file;
    this.tokens = tokens;
    this.problems = problems;
    this.defines = new Map(defines);
    this.isDescription = isDescription;
  }

  get here(): Token {
    return this.peek(0);
  }

  peek(ahead: number): Token {
    return this.tokens[Math.min(this.at + ahead, this.tokens.length - 1)]!;
  }

  position({ line, column }: SourcePosition): SourcePosition {
    return { file: this.#file, line, column };
  }

  /** Looks from the #if at hand to its #endif, once for each #if: is there a class with a body, outside of all brackets? */
  conditionHoldsClass(): boolean {
    this.#classConditions ??= findClassConditions(this.tokens);
    return this.#classConditions.has(this.at);
  }

  #classConditions: ReadonlySet<number> | null = null;

  /** At an #if: stands behind it when it holds, else at the branch that does or behind the #endif. */
  enterCondition(word: string, rest: string, token: Token): void {
    this.#open.push({ token, hasHeld: false, hasElse: false });
    this.at += 1;
    this.#choose(this.#holds(word, rest, token));
  }

  /** At an #else or #endif: false when it belongs to no condition that was entered. */
  leaveOrSwitch(token: Token): boolean {
    const open = this.#open.at(-1);
    if (open === undefined) return false;
    this.at += 1;
    if (/^#\s*endif/.test(token.text)) this.#open.pop();
    else this.#choose(false);
    return true;
  }

  refuseOpenConditions(): void {
    for (const { token } of this.#open) this.problems.error(token, "this condition has no #endif");
  }

  #holds(word: string, rest: string, token: Token): boolean {
    if (word.endsWith("def")) {
      const name = /^[A-Za-z_]\w*/.exec(rest)?.[0];
      if (name === undefined) this.problems.error(token, `#${word} needs a name`);
      const isDefined = name !== undefined && this.defines.has(name);
      return word.endsWith("ifndef") ? !isDefined : isDefined;
    }
    const { holds, unknown, problem } = evaluateCondition(rest, this.defines);
    if (problem !== null) this.problems.error(token, problem);
    else if (unknown.length > 0)
      this.problems.warning(
        token,
        `${unknown.join(", ")} is not known here and counts as 0`,
        "define it in this file before the condition, or give it to the build",
      );
    return holds;
  }

  /** Stays where it is when `holds`; else goes on to the next branch that holds, or behind the #endif. */
  #choose(holds: boolean): void {
    const open = this.#open.at(-1)!;
    if (holds) {
      open.hasHeld = true;
      return;
    }
    let depth = 0;
    for (; this.here.kind !== "end"; this.at += 1) {
      if (this.here.kind !== "directive") continue;
      const token = this.here;
      const [, word = "", rest = ""] = /^#\s*(\w*)\s*(.*)$/s.exec(token.text) ?? [];
      if (/^if/.test(word)) depth += 1;
      else if (word === "endif" && depth > 0) depth -= 1;
      else if (depth > 0) continue;
      else if (word === "endif") {
        this.at += 1;
        this.#open.pop();
        return;
      } else if (/^el/.test(word)) {
        if (open.hasElse) this.problems.error(token, `#${word} behind the #else of its condition`);
        if (word === "else") open.hasElse = true;
        const isChosen =
          !open.hasHeld && (word === "else" || this.#holds(word === "elif" ? "if" : word, rest, token));
        if (isChosen) {
          open.hasHeld = true;
          this.at += 1;
          return;
        }
      }
    }
  }

  /**
   * From here to the end of a declaration: a ; outside of all brackets, or the } of a namespace, an extern "C" or a function.
   * Null after an error was told.
   */
  verbatim(text: string, access: Access): VerbatimSyntax | null {
    const first = this.here;
    let hasFunction = false;
    let last = first;
    while (this.here.kind !== "end") {
      const token = this.here;
      if (token.text === "}" || token.text === ")" || token.text === "]") {
        if (last === first && token === first) return null;
        this.problems.error(first, "a declaration begins here that no ; ends");
        return null;
      }
      if (token.text === "(" || token.text === "[" || token.text === "{") {
        const end = behindBracket(this.tokens, this.at);
        last = this.tokens[end - 1]!;
        if (end === this.tokens.length) {
          this.problems.error(token, `the ${token.text} that opens here is not closed`);
          this.at = this.tokens.length - 1;
          return null;
        }
        this.at = end;
        if (token.text === "(") hasFunction = true;
        const isBody =
          token.text === "{" && (hasFunction || first.text === "namespace" || first.text === "extern");
        if (isBody && this.here.text !== ";" && this.here.text !== ",") break;
        continue;
      }
      last = token;
      this.at += 1;
      if (token.kind === "mark" && token.text === ";") break;
      if (this.at === this.tokens.length - 1) {
        this.problems.error(first, `the declaration that begins with ${shown(first)} has no ;`);
        return null;
      }
    }
    const piece = text.slice(first.start, last.finish);
    return { kind: "verbatim", access, text: piece, note: this.note, ...this.position(first) };
  }
}

/** The places of those #if between which and their #endif a class with a body begins. */
function findClassConditions(tokens: readonly Token[]): Set<number> {
  const found = new Set<number>();
  const open: { readonly at: number; hasClass: boolean }[] = [];
  for (let at = 0; at < tokens.length; at++) {
    const { kind, text } = tokens[at]!;
    if (kind === "directive" && /^#\s*if/.test(text)) open.push({ at, hasClass: false });
    else if (kind === "directive" && /^#\s*endif/.test(text)) {
      const closed = open.pop();
      if (closed?.hasClass === true) {
        found.add(closed.at);
        const outer = open.at(-1);
        if (outer !== undefined) outer.hasClass = true;
      }
    } else if (kind === "word" && text === "class" && tokens[at - 1]?.text !== "enum" && open.length > 0) {
      let ahead = at + 1;
      while (ahead < Math.min(at + 200, tokens.length) && !/^[;{}*=]$/.test(tokens[ahead]!.text)) ahead += 1;
      if (tokens[ahead]?.text === "{") open.at(-1)!.hasClass = true;
    }
  }
  for (const { at, hasClass } of open) if (hasClass) found.add(at);
  return found;
}
