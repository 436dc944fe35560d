// A class of an .iig file: its words, its base, and every member, each of which must be understood.

import { parseMethod } from "./method-parser.ts";
import type {
  Access,
  AttributeSyntax,
  ClassSyntax,
  MethodSyntax,
  SourceNote,
  VerbatimSyntax,
} from "./syntax.ts";
import type { TokenCursor } from "./token-cursor.ts";
import type { Token } from "./tokens.ts";
import { behindBracket, shown, textOf } from "./type-parser.ts";
import {
  bareWord,
  classWords,
  isSilentWord,
  kernelMacroAdvice,
  meantWord,
  wordsWithArgument,
} from "./vocabulary.ts";

/** At "class"; stands behind its ; afterwards. Null after an error that leaves nothing to go on with. */
export function parseClass(cursor: TokenCursor, text: string): ClassSyntax | null {
  const start = cursor.here;
  cursor.at += 1;
  const attributes: AttributeSyntax[] = [];
  let name: Token | null = null;
  while (cursor.here.kind === "word" && cursor.here.text !== "final") {
    const token = cursor.here;
    const word = bareWord(token.text);
    cursor.at += 1;
    if (isSilentWord(token.text)) {
      if (cursor.here.text === "(") cursor.at = behindBracket(cursor.tokens, cursor.at);
    } else if (classWords.includes(word)) {
      attributes.push({ word, argument: argumentOf(cursor, word, token), ...cursor.position(token) });
    } else if (name === null) {
      name = token;
    } else {
      tellWrongClassWord(cursor, name, token);
      name = token;
    }
  }
  if (cursor.here.text === "final") cursor.at += 1;
  if (name === null) {
    cursor.problems.error(cursor.here, `a class has no name before ${shown(cursor.here)}`);
    skipToBody(cursor);
  }
  const base = cursor.here.text === ":" ? baseOf(cursor) : null;
  if (cursor.here.text !== "{") {
    cursor.problems.error(
      cursor.here,
      `${shown(cursor.here)} stands where the body of class ${name?.text ?? ""} begins`,
    );
    skipToBody(cursor);
    if (cursor.here.text !== "{") return null;
  }
  cursor.at += 1;
  const { note } = cursor;
  const members = parseMembers(cursor, text, name?.text ?? "");
  endClass(cursor, start, name);
  if (name === null) return null;
  return { kind: "class", name: name.text, attributes, base, members, note, ...cursor.position(start) };
}

function argumentOf(cursor: TokenCursor, word: string, token: Token): string | null {
  if (!wordsWithArgument.has(word)) return null;
  if (cursor.here.text !== "(") {
    cursor.problems.error(token, `${word} needs a name in brackets`);
    return null;
  }
  const end = behindBracket(cursor.tokens, cursor.at);
  const argument = textOf(cursor.tokens.slice(cursor.at + 1, end - 1));
  cursor.at = end;
  return argument;
}

function tellWrongClassWord(cursor: TokenCursor, first: Token, second: Token): void {
  const meant = meantWord(first.text, classWords);
  cursor.problems.error(
    first,
    `"class ${first.text} ${second.text}": ${first.text} is no word that a class takes`,
    meant === null ? `they are ${classWords.join(", ")}` : `did you mean ${meant}?`,
  );
}

function baseOf(cursor: TokenCursor): ClassSyntax["base"] {
  cursor.at += 1;
  let isPublic = false;
  let name = "";
  let first: Token | null = null;
  const isAt = (text: string): boolean => cursor.here.text === text;
  while (cursor.here.kind !== "end" && !isAt("{") && !isAt(";") && !isAt(",")) {
    const token = cursor.here;
    cursor.at += 1;
    if (token.text === "public") isPublic = true;
    else if (token.text === "virtual" || token.text === "private" || token.text === "protected")
      cursor.problems.error(
        token,
        `a driver's class inherits publicly and once, not ${token.text}`,
        "write : public Base",
      );
    else {
      first ??= token;
      name += token.text;
    }
  }
  if (isAt(",")) {
    cursor.problems.error(cursor.here, "a driver's class has one base", "keep the one that is of DriverKit");
    skipToBody(cursor);
  }
  if (first === null) {
    cursor.problems.error(cursor.here, "the name of the base class is missing behind the colon");
    return null;
  }
  if (!/^[A-Za-z_]\w*(::[A-Za-z_]\w*)*$/.test(name)) {
    cursor.problems.error(first, `${JSON.stringify(name.slice(0, 60))} is no name of a base class`);
    return null;
  }
  if (!isPublic)
    cursor.problems.error(
      first,
      `${name} is inherited privately, so nothing outside may use it`,
      `write : public ${name}`,
    );
  return { name, ...cursor.position(first) };
}

function skipToBody(cursor: TokenCursor): void {
  while (cursor.here.kind !== "end" && cursor.here.text !== "{" && cursor.here.text !== ";") cursor.at += 1;
}

function endClass(cursor: TokenCursor, start: Token, name: Token | null): void {
  if (cursor.here.kind === "end") {
    cursor.problems.error(start, `class ${name?.text ?? ""} has no }`);
    return;
  }
  cursor.at += 1;
  if (cursor.here.text === ";") cursor.at += 1;
  else
    cursor.problems.error(
      cursor.here,
      `a ; is missing behind class ${name?.text ?? ""}, before ${shown(cursor.here)}`,
      "write }; at the end of a class",
    );
}

function parseMembers(
  cursor: TokenCursor,
  text: string,
  className: string,
): (MethodSyntax | VerbatimSyntax)[] {
  const members: (MethodSyntax | VerbatimSyntax)[] = [];
  let access: Access = "private";
  while (cursor.here.kind !== "end" && cursor.here.text !== "}") {
    const token = cursor.here;
    const before = cursor.at;
    if (token.kind === "directive") memberDirective(cursor, token);
    else if (token.text === ";") cursor.at += 1;
    else if (/^(public|protected|private)$/.test(token.text) && cursor.peek(1).text === ":") {
      access = token.text as Access;
      cursor.at += 2;
    } else if (
      /^(enum|struct|union|typedef|using|static_assert)$/.test(token.text) &&
      isNestedDeclaration(cursor)
    ) {
      const nested = cursor.verbatim(text, access);
      if (nested !== null) members.push(nested);
    } else if (token.text === "class" || token.text === "friend" || token.text === "template") {
      cursor.problems.error(
        token,
        `${token.text} has no place in a class of an .iig file`,
        token.text === "class" ? "give each class a file of its own" : "write it in the .cpp or in a header",
      );
      skipMember(cursor);
    } else {
      const member = takeMember(cursor, className);
      const method =
        member === null ? null : parseMethod(member.tokens, member.body, text, { cursor, className, access });
      if (method !== null) members.push(method);
    }
    if (cursor.at === before) cursor.at += 1;
  }
  return members;
}

/** "struct X { ... };" and "enum X : int { ... };", not "struct X * method();". */
function isNestedDeclaration(cursor: TokenCursor): boolean {
  if (/^(typedef|using|static_assert|union)$/.test(cursor.here.text)) return true;
  for (let ahead = 1; ahead < 200; ahead++) {
    const { text, kind } = cursor.peek(ahead);
    if (text === "{" || text === ";") return true;
    if (kind === "end" || text === "}" || text === "(" || text === "*") return false;
  }
  return false;
}

function memberDirective(cursor: TokenCursor, token: Token): void {
  const [, word = "", rest = ""] = /^#\s*(\w*)\s*(.*)$/s.exec(token.text) ?? [];
  if (/^(if|ifdef|ifndef)$/.test(word)) {
    cursor.enterCondition(word, rest, token);
    return;
  }
  if (/^(elif|elifdef|elifndef|else|endif)$/.test(word)) {
    if (cursor.leaveOrSwitch(token)) return;
    cursor.problems.error(token, `#${word} without its #if`);
    cursor.at += 1;
    return;
  }
  cursor.at += 1;
  if (word === "pragma" && /^source\b/.test(rest) && cursor.isDescription)
    cursor.note = noteOf(rest, token, cursor);
  else if (word === "pragma") return;
  else if (word === "define" || word === "undef") {
    const found = /^(\w+)\s*(.*)$/s.exec(rest);
    if (found === null) return;
    if (word === "define") cursor.defines.set(found[1]!, found[2]!.trim() || "1");
    else cursor.defines.delete(found[1]!);
    cursor.problems.error(token, `#${word} inside of a class`, "write it before the class");
  } else cursor.problems.error(token, `#${word} has no place inside of a class`, "write it before the class");
}

/** Reads `source "families 1.2" established`. */
export function noteOf(rest: string, token: Token, { problems }: TokenCursor): SourceNote | null {
  const found = /^source\s+"([^"]+)"\s+(established|likely|unverified)$/.exec(rest);
  if (found === null) {
    problems.error(token, `write #pragma source "where" established|likely|unverified, not ${shown(token)}`);
    return null;
  }
  return { source: found[1]!, mark: found[2] as SourceNote["mark"] };
}

interface Member {
  readonly tokens: readonly Token[];
  /** From { to }, when there is one. */
  readonly body: readonly Token[] | null;
}

/** Up to the ; or the closed body. A line of the preprocessor, a word of access or the class's end before that is a forgotten ; */
function takeMember(cursor: TokenCursor, className: string): Member | null {
  const start = cursor.at;
  const first = cursor.here;
  const macro = kernelMacroAdvice(first.text);
  if (macro !== null) {
    cursor.problems.error(first, `${first.text} does not exist in DriverKit`, macro);
    cursor.at += 1;
    if (cursor.here.text === "(") cursor.at = behindBracket(cursor.tokens, cursor.at);
    return null;
  }
  let hasParameters = false;
  while (true) {
    const token = cursor.here;
    const { text, kind } = token;
    const isAccess = /^(public|protected|private)$/.test(text) && cursor.peek(1).text === ":";
    if (kind === "end" || kind === "directive" || text === "}" || isAccess) {
      const last = cursor.tokens[cursor.at - 1]!;
      cursor.problems.error(
        last,
        `a ; is missing behind ${shown(last)} in class ${className}`,
        `the member begins at line ${first.line}`,
      );
      return null;
    }
    if (text === ";") {
      const tokens = cursor.tokens.slice(start, cursor.at);
      cursor.at += 1;
      return { tokens, body: null };
    }
    if (text === "{" && hasParameters) {
      const tokens = cursor.tokens.slice(start, cursor.at);
      const end = behindBracket(cursor.tokens, cursor.at);
      const body = cursor.tokens.slice(cursor.at, end);
      cursor.at = Math.min(end, cursor.tokens.length - 1);
      return { tokens, body };
    }
    if (text === "(" || text === "[" || text === "{") {
      if (text === "(") hasParameters = true;
      const end = behindBracket(cursor.tokens, cursor.at);
      if (end >= cursor.tokens.length) {
        cursor.problems.error(token, `the ${text} that opens here is not closed`);
        cursor.at = cursor.tokens.length - 1;
        return null;
      }
      cursor.at = end;
    } else cursor.at += 1;
  }
}

function skipMember(cursor: TokenCursor): void {
  while (cursor.here.kind !== "end" && cursor.here.text !== ";" && cursor.here.text !== "}") {
    const isOpen = cursor.here.text === "{" || cursor.here.text === "(";
    cursor.at = isOpen
      ? Math.min(behindBracket(cursor.tokens, cursor.at), cursor.tokens.length - 1)
      : cursor.at + 1;
  }
  if (cursor.here.text === ";") cursor.at += 1;
}
