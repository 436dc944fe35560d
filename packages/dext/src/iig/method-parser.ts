// One method of a class: its words before and behind, its parameters, and a message for whatever is none.

import type { Access, AttributeSyntax, MethodSyntax, ParameterSyntax } from "./syntax.ts";
import type { TokenCursor } from "./token-cursor.ts";
import type { Token } from "./tokens.ts";
import { behindBracket, parseParameter, parseType, shown, splitAtCommas, textOf } from "./type-parser.ts";
import {
  bareWord,
  descriptionWords,
  isSilentWord,
  meantWord,
  methodWords,
  wordsWithArgument,
} from "./vocabulary.ts";

interface Surroundings {
  readonly cursor: TokenCursor;
  readonly className: string;
  readonly access: Access;
}

const specifiers = ["virtual", "static", "inline", "explicit", "constexpr"];

/** Of the tokens of one member, without its ; and body. Null after an error was told. */
export function parseMethod(
  tokens: readonly Token[],
  body: readonly Token[] | null,
  text: string,
  { cursor, className, access }: Surroundings,
): MethodSyntax | null {
  const { problems } = cursor;
  const first = tokens[0] ?? cursor.here;
  const before: string[] = [];
  const attributes: AttributeSyntax[] = [];
  let at = 0;
  for (; at < tokens.length; at++) {
    const token = tokens[at]!;
    if (specifiers.includes(token.text)) before.push(token.text);
    else if (isSilentWord(token.text)) {
      if (tokens[at + 1]?.text === "(") at = behindBracket(tokens, at + 1) - 1;
    } else if (methodWords.includes(bareWord(token.text)) && !wordsWithArgument.has(bareWord(token.text)))
      attributes.push({ word: bareWord(token.text), argument: null, ...cursor.position(token) });
    else break;
  }
  const open = openBracket(tokens, at);
  if (open < 0) {
    tellDataMember(tokens, at, { cursor, className, access });
    return null;
  }
  const name = tokens[open - 1]!;
  if (tellSpecialMember(tokens, open, at, { cursor, className, access })) return null;
  if (name.kind !== "word") {
    problems.error(name, `${shown(name)} is no name of a method`);
    return null;
  }
  const returns = parseType(tokens.slice(at, open - 1), name, problems);
  const close = behindBracket(tokens, open);
  const { parameters, isVariadic, isWhole } = parseParameters(
    tokens.slice(open + 1, close - 1),
    tokens[open]!,
    cursor,
  );
  const tail = parseTail(tokens, close, name, attributes, cursor);
  if (returns === null || !isWhole || tail === null) return null;
  if (body !== null && tail.isPure) problems.error(name, `${name.text} is "= 0" and has a body`);
  return {
    kind: "method",
    name: name.text,
    access,
    isStatic: before.includes("static"),
    isVirtual: before.includes("virtual"),
    ...tail,
    isVariadic,
    returns,
    parameters,
    attributes,
    body: body === null ? null : text.slice(body[0]!.start, body.at(-1)!.finish),
    note: cursor.note,
    ...cursor.position(first),
  };
}

/** The ( of the parameters: the first that stands behind a word outside of a template's <>. */
function openBracket(tokens: readonly Token[], from: number): number {
  let angle = 0;
  for (let at = from; at < tokens.length; at++) {
    const { text } = tokens[at]!;
    if (text === "<") angle += 1;
    else if (text === ">") angle -= 1;
    else if (text === "=" || text === "{" || text === "[") return -1;
    else if (text === "(" && angle === 0) return at > from ? at : -1;
  }
  return -1;
}

function tellDataMember(tokens: readonly Token[], at: number, { cursor, className }: Surroundings): void {
  const token = tokens[at] ?? tokens[0] ?? cursor.here;
  const end = tokens.findIndex(({ text }) => text === "[" || text === "=" || text === "{" || text === ":");
  const name = (end < 0 ? tokens : tokens.slice(0, end)).findLast(({ kind }) => kind === "word");
  cursor.problems.error(
    token,
    `a class of an .iig file holds no data: ${JSON.stringify((name ?? token).text.slice(0, 60))} is no method`,
    `declare it in struct ${className}_IVars in the .cpp and reach it through ivars`,
  );
}

/** Constructors, destructors, operators and macros: true when it was one of them. */
function tellSpecialMember(
  tokens: readonly Token[],
  open: number,
  at: number,
  { cursor, className }: Surroundings,
): boolean {
  const name = tokens[open - 1]!;
  const operator = tokens.slice(at, open).find(({ text }) => text === "operator");
  if (operator !== undefined) {
    cursor.problems.error(
      operator,
      "an operator has no place in a class of an .iig file",
      "write a method with a name",
    );
    return true;
  }
  if (name.text === className && (open - at === 1 || tokens[open - 2]?.text === "~")) {
    const isEnd = tokens[open - 2]?.text === "~";
    cursor.problems.error(
      name,
      `${className} has a ${isEnd ? "destructor" : "constructor"}, but objects of a driver are made and freed by the system`,
      isEnd ? "override free()" : "override init()",
    );
    return true;
  }
  if (open - at === 1 && name.kind === "word") {
    cursor.problems.error(
      name,
      `${name.text} has no type of what it returns`,
      /^[A-Z_]+$/.test(name.text)
        ? "a macro is not expanded here: write the method out"
        : `write void ${name.text}(...) or kern_return_t ${name.text}(...)`,
    );
    return true;
  }
  return false;
}

function parseParameters(
  tokens: readonly Token[],
  open: Token,
  cursor: TokenCursor,
): { parameters: ParameterSyntax[]; isVariadic: boolean; isWhole: boolean } {
  const parameters: ParameterSyntax[] = [];
  const isNothing = tokens.length === 0 || (tokens.length === 1 && tokens[0]!.text === "void");
  if (isNothing) return { parameters, isVariadic: false, isWhole: true };
  let isVariadic = false;
  let isWhole = true;
  for (const part of splitAtCommas(tokens)) {
    if (part.length === 1 && part[0]!.text === "...") {
      isVariadic = true;
      continue;
    }
    const parameter = parseParameter(part, open, cursor.problems);
    if (parameter === null) isWhole = false;
    else parameters.push(parameter);
  }
  const names = new Set<string>();
  for (const { name, ...position } of parameters) {
    if (name !== null && names.has(name)) cursor.problems.error(position, `two parameters are named ${name}`);
    if (name !== null) names.add(name);
  }
  return { parameters, isVariadic, isWhole };
}

type Tail = Pick<MethodSyntax, "isConst" | "isOverride" | "isFinal" | "isPure">;

/** What stands behind the bracket; the words go to `attributes`. Null after an error. */
function parseTail(
  tokens: readonly Token[],
  from: number,
  name: Token,
  attributes: AttributeSyntax[],
  cursor: TokenCursor,
): Tail | null {
  const plain = new Set<string>();
  let isPure = false;
  for (let at = from; at < tokens.length; at++) {
    const token = tokens[at]!;
    const word = bareWord(token.text);
    if (["const", "override", "final", "noexcept", "APPLE_KEXT_OVERRIDE"].includes(token.text))
      plain.add(token.text);
    else if (token.text === "=") {
      if (tokens[at + 1]?.text !== "0" || at + 2 < tokens.length) {
        const rest = textOf(tokens.slice(at));
        cursor.problems.error(
          token,
          `${name.text} ends with "${rest.slice(0, 40)}": only = 0 may stand there`,
        );
        return null;
      }
      isPure = true;
      at += 1;
    } else if (isSilentWord(token.text)) {
      if (tokens[at + 1]?.text === "(") at = behindBracket(tokens, at + 1) - 1;
    } else if (methodWords.includes(word) || (cursor.isDescription && descriptionWords.includes(word))) {
      let argument: string | null = null;
      if (wordsWithArgument.has(word)) {
        if (tokens[at + 1]?.text !== "(") {
          cursor.problems.error(
            token,
            `${word} needs a name in brackets`,
            word === "TYPE"
              ? "write TYPE(Class::Method), the callback that this method answers"
              : `write ${word}(Name)`,
          );
          return null;
        }
        const end = behindBracket(tokens, at + 1);
        argument = textOf(tokens.slice(at + 2, end - 1));
        at = end - 1;
      }
      if (attributes.some((other) => other.word === word))
        cursor.problems.error(token, `${word} stands twice`);
      attributes.push({ word, argument, ...cursor.position(token) });
    } else {
      tellWrongWord(token, name, cursor);
      return null;
    }
  }
  return {
    isConst: plain.has("const"),
    isOverride: plain.has("override") || plain.has("APPLE_KEXT_OVERRIDE"),
    isFinal: plain.has("final"),
    isPure,
  };
}

function tellWrongWord(token: Token, name: Token, cursor: TokenCursor): void {
  const meant = token.kind === "word" ? meantWord(token.text, methodWords) : null;
  cursor.problems.error(
    token,
    `${shown(token)} stands behind method ${name.text}, where only words of .iig files may`,
    meant !== null
      ? `did you mean ${meant}?`
      : token.kind === "word" && token.line > name.line
        ? `is a ; missing behind ${name.text}?`
        : `they are ${methodWords.join(", ")}`,
  );
}
