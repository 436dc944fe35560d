// The strict reader of .iig files: classes and methods become values, all other C++ is handed on as it stands.

import { noteOf, parseClass } from "./class-parser.ts";
import { builtInDefines, type Defines } from "./conditions.ts";
import { ProblemList } from "./source-problem.ts";
import type { FileSyntax, ItemSyntax, VerbatimSyntax } from "./syntax.ts";
import { TokenCursor } from "./token-cursor.ts";
import { maximumSourceLength, type Token, tokensOf } from "./tokens.ts";

export interface ParseOptions {
  /** What the build defines beside `builtInDefines`. */
  readonly defines?: Defines;
  /** Our own descriptions may use RUNTIME and `#pragma source`. */
  readonly isDescription?: boolean;
}

export interface ParsedFile extends FileSyntax {
  readonly problems: ProblemList;
}

/** Never throws, whatever `text` holds, and takes time linear in its length: what is wrong is in `problems`, the rest in `items`. */
export function parseInterface(file: string, text: string, options: ParseOptions = {}): ParsedFile {
  const problems = new ProblemList();
  if (text.length > maximumSourceLength) {
    problems.error(
      { file, line: 1, column: 1 },
      `the file has ${text.length} characters; an interface has at most ${maximumSourceLength}`,
    );
    return { file, items: [], problems };
  }
  const tokens = tokensOf(file, text, problems);
  const parser = new FileParser(file, text, tokens, problems, options);
  return { file, items: parser.parse(), problems };
}

class FileParser {
  readonly #text: string;
  readonly #cursor: TokenCursor;
  readonly #problems: ProblemList;
  readonly #items: ItemSyntax[] = [];

  constructor(
    file: string,
    text: string,
    tokens: readonly Token[],
    problems: ProblemList,
    { defines, isDescription = false }: ParseOptions,
  ) {
    this.#text = text;
    this.#problems = problems;
    const known = new Map([...builtInDefines, ...(defines ?? [])]);
    this.#cursor = new TokenCursor(file, tokens, problems, known, isDescription);
  }

  parse(): ItemSyntax[] {
    const cursor = this.#cursor;
    while (cursor.here.kind !== "end") {
      const before = cursor.at;
      this.#item();
      if (cursor.at === before) cursor.at += 1;
    }
    cursor.refuseOpenConditions();
    return this.#items;
  }

  #item(): void {
    const cursor = this.#cursor;
    const { here } = cursor;
    if (here.kind === "directive") this.#directive(here);
    else if (here.kind === "implementation") {
      this.#items.push({ kind: "implementation", text: here.text, ...cursor.position(here) });
      cursor.at += 1;
    } else if (here.text === ";") cursor.at += 1;
    else if (here.text === "class" && this.#isClassHead()) {
      const found = parseClass(cursor, this.#text);
      if (found !== null) this.#items.push(found);
    } else if (here.text === "}" || here.text === ")" || here.text === "]") {
      this.#problems.error(here, `a ${here.text} closes nothing`);
      cursor.at += 1;
    } else {
      const verbatim = cursor.verbatim(this.#text, "public");
      if (verbatim !== null) this.#items.push(verbatim);
    }
  }

  /** "class X;" and "class X * f();" are handed on; "class WORDS X : public Y {" is ours. */
  #isClassHead(): boolean {
    const cursor = this.#cursor;
    for (let ahead = 1; ahead < 200; ahead++) {
      const { text, kind } = cursor.peek(ahead);
      if (text === "{" || text === ":") return true;
      if (kind === "end" || text === ";" || text === "}" || text === "*" || text === "=") return false;
    }
    return false;
  }

  #directive(token: Token): void {
    const cursor = this.#cursor;
    const [, word = "", rest = ""] = /^#\s*(\w*)\s*(.*)$/s.exec(token.text) ?? [];
    if (/^(if|ifdef|ifndef)$/.test(word)) {
      if (cursor.conditionHoldsClass()) cursor.enterCondition(word, rest, token);
      else this.#passOn(token);
      return;
    }
    if (/^(elif|elifdef|elifndef|else|endif)$/.test(word)) {
      if (!cursor.leaveOrSwitch(token)) this.#passOn(token);
      return;
    }
    cursor.at += 1;
    if (word === "include" || word === "import") this.#include(token, rest);
    else if (word === "error") this.#problems.error(token, `#error ${rest}`);
    else if (word === "pragma" && /^once\b/.test(rest)) return;
    else if (word === "pragma" && /^mark\b/.test(rest)) return;
    else if (word === "pragma" && cursor.isDescription && /^source\b/.test(rest))
      cursor.note = noteOf(rest, token, cursor);
    else if (word === "pragma" && cursor.isDescription && /^header\b/.test(rest)) this.#section(token, rest);
    else {
      const define = /^#\s*define\s+([A-Za-z_]\w*)(?:\s+(.*))?$/s.exec(token.text);
      if (define !== null) cursor.defines.set(define[1]!, (define[2] ?? "1").trim());
      const undefine = /^#\s*undef\s+([A-Za-z_]\w*)/.exec(token.text);
      if (undefine !== null) cursor.defines.delete(undefine[1]!);
      this.#items.push(this.#lineOf(token));
    }
  }

  #section(token: Token, rest: string): void {
    const found = /^header\s+"([^"]+)"(\s+written)?$/.exec(rest);
    if (found === null) {
      this.#problems.error(
        token,
        'write #pragma header "Framework/File.h", with written behind it when our runtime has the file',
      );
      return;
    }
    const [, path = "", written] = found;
    this.#items.push({
      kind: "section",
      path,
      isWritten: written !== undefined,
      ...this.#cursor.position(token),
    });
  }

  #passOn(token: Token): void {
    this.#items.push(this.#lineOf(token));
    this.#cursor.at += 1;
  }

  #lineOf(token: Token): VerbatimSyntax {
    const cursor = this.#cursor;
    const text = this.#text.slice(token.start, token.finish).trimEnd();
    return { kind: "verbatim", access: "public", text, note: cursor.note, ...cursor.position(token) };
  }

  #include(token: Token, rest: string): void {
    const found = /^(?:<([^>\n]+)>|"([^"\n]+)")/.exec(rest);
    if (found === null) {
      this.#problems.error(
        token,
        `no file is named behind #include`,
        'write #include <Framework/File.iig> or "File.iig"',
      );
      return;
    }
    const path = found[1] ?? found[2]!;
    this.#items.push({
      kind: "include",
      path,
      isSystem: found[1] !== undefined,
      ...this.#cursor.position(token),
    });
  }
}
