// The words of an .iig file: C++'s tokens with their places, one token for a whole line of the preprocessor.

import type { ProblemList, SourcePosition } from "./source-problem.ts";

export type TokenKind = "word" | "number" | "text" | "mark" | "directive" | "implementation" | "end";

export interface Token extends SourcePosition {
  readonly kind: TokenKind;
  /** As written; of a directive the whole logical line without its comments, lines that were continued joined by a blank. */
  readonly text: string;
  /** Where it begins and ends in the file's text. */
  readonly start: number;
  readonly finish: number;
}

/** More than any file of an interface; what is longer is not one. */
export const maximumSourceLength = 1 << 20;

const longMarks = ["::", "->", "...", "<<=", ">>=", "<=", ">=", "==", "!=", "&&", "||"];

/** Strings, comments and directives that do not end are errors; anything else lexes. Takes time linear in the text. */
export function tokensOf(file: string, text: string, problems: ProblemList): Token[] {
  const scanner = new Scanner(file, text, problems);
  return scanner.scan();
}

class Scanner {
  readonly #file: string;
  readonly #text: string;
  readonly #problems: ProblemList;
  readonly #tokens: Token[] = [];
  #at = 0;
  #line = 1;
  #lineStart = 0;
  #isLineFresh = true;

  constructor(file: string, text: string, problems: ProblemList) {
    this.#file = file;
    this.#text = text;
    this.#problems = problems;
  }

  scan(): Token[] {
    if (this.#text.charCodeAt(0) === 0xfeff) {
      this.#at = 1;
      this.#lineStart = 1;
    }
    while (this.#at < this.#text.length) this.#next();
    this.#push("end", "", this.#here(), this.#at);
    return this.#tokens;
  }

  #here(): SourcePosition {
    return { file: this.#file, line: this.#line, column: this.#at - this.#lineStart + 1 };
  }

  #push(kind: TokenKind, text: string, at: SourcePosition, start: number): void {
    this.#tokens.push({ kind, text, start, finish: this.#at, ...at });
    this.#isLineFresh = false;
  }

  #newLine(): void {
    this.#line += 1;
    this.#lineStart = this.#at;
    this.#isLineFresh = true;
  }

  #next(): void {
    const text = this.#text;
    const character = text[this.#at]!;
    if (character === "\n") {
      this.#at += 1;
      this.#newLine();
      return;
    }
    if (/\s/.test(character)) {
      this.#at += 1;
      return;
    }
    const joined = this.#continuation();
    if (joined > 0) {
      this.#at += joined;
      this.#newLine();
      return;
    }
    if (character === "/" && (text[this.#at + 1] === "/" || text[this.#at + 1] === "*")) {
      this.#comment();
      return;
    }
    if (character === "#" && this.#isLineFresh) {
      this.#directive();
      return;
    }
    if (/[A-Za-z_$]/.test(character)) {
      this.#word();
      return;
    }
    if (/[0-9]/.test(character)) {
      this.#run("number", /[0-9A-Za-z_.']/);
      return;
    }
    if (character === '"' || character === "'") {
      this.#quoted(character, this.#here(), this.#at);
      return;
    }
    const start = this.#at;
    const here = this.#here();
    const long = longMarks.find((mark) => text.startsWith(mark, start));
    this.#at += long?.length ?? 1;
    this.#push("mark", long ?? character, here, start);
  }

  /** Length of a backslash with the end of its line, or 0. */
  #continuation(): number {
    if (this.#text[this.#at] !== "\\") return 0;
    if (this.#text[this.#at + 1] === "\n") return 2;
    return this.#text.startsWith("\\\r\n", this.#at) ? 3 : 0;
  }

  #word(): void {
    const start = this.#at;
    const here = this.#here();
    while (this.#at < this.#text.length && /[A-Za-z0-9_$]/.test(this.#text[this.#at]!)) this.#at += 1;
    const word = this.#text.slice(start, this.#at);
    if (this.#text[this.#at] === '"' && /^(u8|[uUL])?R$/.test(word)) {
      this.#rawText(here, start);
      return;
    }
    this.#push("word", word, here, start);
  }

  #run(kind: TokenKind, accepts: RegExp): void {
    const start = this.#at;
    const here = this.#here();
    while (this.#at < this.#text.length && accepts.test(this.#text[this.#at]!)) this.#at += 1;
    this.#push(kind, this.#text.slice(start, this.#at), here, start);
  }

  #quoted(quote: string, here: SourcePosition, start: number): void {
    this.#at += 1;
    while (this.#at < this.#text.length && this.#text[this.#at] !== quote) {
      const joined = this.#continuation();
      if (joined > 0) {
        this.#at += joined;
        this.#line += 1;
        this.#lineStart = this.#at;
      } else if (this.#text[this.#at] === "\n") {
        break;
      } else {
        this.#at += this.#text[this.#at] === "\\" ? 2 : 1;
      }
    }
    if (this.#at >= this.#text.length || this.#text[this.#at] !== quote) {
      this.#at = Math.min(this.#at, this.#text.length);
      this.#problems.error(here, `a ${quote} opens a text that its line does not close`);
    } else {
      this.#at += 1;
    }
    this.#push("text", this.#text.slice(start, this.#at), here, start);
  }

  #rawText(here: SourcePosition, start: number): void {
    const open = this.#text.indexOf("(", this.#at);
    const delimiter = open < 0 ? "" : this.#text.slice(this.#at + 1, open);
    const close = open < 0 || delimiter.length > 16 ? -1 : this.#text.indexOf(`)${delimiter}"`, open);
    if (close < 0) this.#problems.error(here, "a raw text begins here and does not end");
    this.#advanceTo(close < 0 ? this.#text.length : close + delimiter.length + 2);
    this.#push("text", this.#text.slice(start, this.#at), here, start);
  }

  #advanceTo(end: number): void {
    for (
      let at = this.#text.indexOf("\n", this.#at);
      at >= 0 && at < end;
      at = this.#text.indexOf("\n", at + 1)
    ) {
      this.#line += 1;
      this.#lineStart = at + 1;
    }
    this.#at = end;
  }

  #comment(): void {
    const here = this.#here();
    if (this.#text[this.#at + 1] === "/") {
      while (this.#at < this.#text.length && this.#text[this.#at] !== "\n") {
        const joined = this.#continuation();
        this.#at += Math.max(joined, 1);
        if (joined > 0) {
          this.#line += 1;
          this.#lineStart = this.#at;
        }
      }
      return;
    }
    const start = this.#at;
    const close = this.#text.indexOf("*/", start + 2);
    if (close < 0) this.#problems.error(here, "a comment begins here and does not end");
    const wasFresh = this.#isLineFresh;
    this.#advanceTo(close < 0 ? this.#text.length : close + 2);
    const body = this.#text.slice(start, this.#at);
    if (body.includes("@iig implementation")) this.#implementation(body, here, start);
    this.#isLineFresh = wasFresh;
  }

  /** "@iig implementation ... @iig end" inside a comment is C++ for the generated source. */
  #implementation(body: string, here: SourcePosition, start: number): void {
    const open = "@iig implementation";
    const from = body.indexOf(open) + open.length;
    const to = body.indexOf("@iig end", from);
    if (to < 0) {
      this.#problems.error(here, 'this comment says "@iig implementation" and never "@iig end"');
      return;
    }
    const line = here.line + body.slice(0, from).split("\n").length - 1;
    this.#push("implementation", body.slice(from, to), { file: this.#file, line, column: 1 }, start);
  }

  #directive(): void {
    const here = this.#here();
    const start = this.#at;
    const text = this.#text;
    let line = "";
    while (this.#at < text.length && text[this.#at] !== "\n") {
      const joined = this.#continuation();
      if (joined > 0) {
        line += " ";
        this.#at += joined;
        this.#line += 1;
        this.#lineStart = this.#at;
      } else if (text.startsWith("//", this.#at)) {
        this.#comment();
      } else if (text.startsWith("/*", this.#at)) {
        this.#comment();
        line += " ";
      } else if (text[this.#at] === '"') {
        const from = this.#at;
        const close = text.slice(from + 1).search(/["\n]/);
        this.#at = close < 0 ? text.length : from + 1 + close + (text[from + 1 + close] === '"' ? 1 : 0);
        line += text.slice(from, this.#at);
      } else {
        line += text[this.#at];
        this.#at += 1;
      }
    }
    this.#push("directive", line.trim(), here, start);
  }
}
