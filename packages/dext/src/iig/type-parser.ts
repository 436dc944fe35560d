// Types and parameters of an interface, out of their tokens.

import type { ProblemList } from "./source-problem.ts";
import type { AttributeSyntax, ParameterSyntax, TypeSyntax } from "./syntax.ts";
import type { Token } from "./tokens.ts";
import { bareWord, isSilentWord, meantWord, parameterWords, wordsWithArgument } from "./vocabulary.ts";

const cvWords: ReadonlySet<string> = new Set([
  "const",
  "volatile",
  "struct",
  "class",
  "enum",
  "union",
  "typename",
]);
const builtInWords: ReadonlySet<string> = new Set([
  "void",
  "bool",
  "char",
  "short",
  "int",
  "long",
  "signed",
  "unsigned",
  "float",
  "double",
  "auto",
  "__int128",
]);

/** With one blank where C++ needs or likes one. */
export function textOf(tokens: readonly Token[]): string {
  let text = "";
  let before = "";
  for (const { text: word } of tokens) {
    const isGlued =
      text === "" ||
      /[(<[~!:]$|::$/.test(before) ||
      /^(\)|>|\]|,|::|\(|\[|<|;)/.test(word) ||
      (before === "&" && word === "&");
    text += isGlued ? word : ` ${word}`;
    before = word;
  }
  return text;
}

/** Index behind the bracket that closes the one at `at`; `tokens.length` when none does. */
export function behindBracket(tokens: readonly Token[], at: number): number {
  let depth = 0;
  for (let index = at; index < tokens.length; index++) {
    const { text, kind } = tokens[index]!;
    if (kind !== "mark") continue;
    if (text === "(" || text === "[" || text === "{") depth += 1;
    if (text === ")" || text === "]" || text === "}") depth -= 1;
    if (depth === 0) return index + 1;
  }
  return tokens.length;
}

/** Null after an error was told. `tokens` hold nothing but the type. */
export function parseType(tokens: readonly Token[], where: Token, problems: ProblemList): TypeSyntax | null {
  let at = 0;
  const base: string[] = [];
  let isConst = false;
  const refuse = (message: string, advice?: string): null => {
    problems.error(tokens[Math.min(at, tokens.length - 1)] ?? where, message, advice);
    return null;
  };
  if (tokens.length === 0) return refuse(`a type is missing before ${shown(where)}`);
  for (; at < tokens.length; at++) {
    const token = tokens[at]!;
    if (cvWords.has(token.text)) {
      if (token.text === "const") isConst = true;
    } else if (token.kind === "word" && isSilentWord(token.text)) {
      if (tokens[at + 1]?.text === "(") at = behindBracket(tokens, at + 1) - 1;
    } else if (builtInWords.has(token.text) && (base.length === 0 || builtInWords.has(base[0]!))) {
      base.push(token.text);
    } else if (token.kind === "word" && base.length === 0) {
      at = qualifiedName(tokens, at, base);
      if (at < 0) return refuse("the < of a template's arguments is not closed");
    } else {
      break;
    }
  }
  if (base.length === 0) return refuse(`${shown(tokens[0]!)} is not a plain type`);
  let pointers = 0;
  let isReference = false;
  for (; at < tokens.length; at++) {
    const { text } = tokens[at]!;
    if (text === "*" && !isReference) pointers += 1;
    else if (text === "&" || text === "&&") isReference = true;
    else if (text !== "const" && text !== "volatile" && !isSilentWord(text))
      return refuse(
        `"${textOf(tokens)}" is not a plain type: ${shown(tokens[at]!)} does not belong to one`,
        "write a name with const and stars; give anything longer a name with typedef first",
      );
  }
  const clean = tokens.filter(({ text, kind }) => kind !== "word" || !isSilentWord(text));
  return {
    text: textOf(clean),
    base: base.join(" "),
    pointers,
    isReference,
    isConst,
    array: null,
    around: null,
  };
}

/** The index of the last token of "a::b<c>"; -1 when a < stays open. */
function qualifiedName(tokens: readonly Token[], from: number, base: string[]): number {
  let at = from;
  let name = tokens[at]!.text;
  while (at + 1 < tokens.length) {
    const next = tokens[at + 1]!.text;
    if (next === "::" && tokens[at + 2]?.kind === "word") {
      name += `::${tokens[at + 2]!.text}`;
      at += 2;
    } else if (next === "<") {
      const end = behindAngle(tokens, at + 1);
      if (end < 0) return -1;
      name += textOf(tokens.slice(at + 1, end));
      at = end - 1;
    } else {
      break;
    }
  }
  base.push(name);
  return at;
}

function behindAngle(tokens: readonly Token[], at: number): number {
  let depth = 0;
  for (let index = at; index < tokens.length; index++) {
    const { text } = tokens[index]!;
    if (text === "<") depth += 1;
    else if (text === ">") depth -= 1;
    else if (text === ";" || text === "{") return -1;
    if (depth === 0) return index + 1;
  }
  return -1;
}

/** The parts between commas that stand in no bracket. */
export function splitAtCommas(tokens: readonly Token[]): Token[][] {
  const parts: Token[][] = [[]];
  let round = 0;
  let angle = 0;
  for (const token of tokens) {
    const { text } = token;
    if (text === "(" || text === "[" || text === "{") round += 1;
    else if (text === ")" || text === "]" || text === "}") round -= 1;
    else if (text === "<") angle += 1;
    else if (text === ">" && angle > 0) angle -= 1;
    if (text === "," && round === 0 && angle === 0) parts.push([]);
    else parts.at(-1)!.push(token);
  }
  return parts;
}

/** Of one parameter; null after an error was told. */
export function parseParameter(
  all: readonly Token[],
  where: Token,
  problems: ProblemList,
): ParameterSyntax | null {
  const attributes: AttributeSyntax[] = [];
  let tokens: Token[] = [];
  let defaultValue: string | null = null;
  for (let at = 0; at < all.length; at++) {
    const token = all[at]!;
    const word = bareWord(token.text);
    if (token.text === "=") {
      defaultValue = textOf(all.slice(at + 1));
      break;
    }
    if (token.kind === "word" && parameterWords.includes(word)) {
      let argument: string | null = null;
      if (wordsWithArgument.has(word)) {
        if (all[at + 1]?.text !== "(") {
          problems.error(
            token,
            `${word} needs the name of a callback in brackets`,
            `write ${word}(Class::Method)`,
          );
          return null;
        }
        const end = behindBracket(all, at + 1);
        argument = textOf(all.slice(at + 2, end - 1));
        at = end - 1;
      }
      attributes.push({ word, argument, file: token.file, line: token.line, column: token.column });
    } else if (token.text === "__unused") {
    } else {
      tokens.push(token);
    }
  }
  const first = tokens[0] ?? where;
  const position = { file: first.file, line: first.line, column: first.column };
  if (tokens.length === 0) {
    problems.error(where, "a parameter is missing between two commas or before the bracket");
    return null;
  }
  const round = roundName(tokens);
  if (round !== null) return { ...position, ...round, attributes, defaultValue };
  let array: string | null = null;
  const open = tokens.findIndex(({ text }) => text === "[");
  if (open >= 0) {
    array = textOf(tokens.slice(open));
    tokens = tokens.slice(0, open);
  }
  const name = nameAtEnd(tokens);
  const misspelt = name === null ? null : misplacedWord(tokens, name);
  if (misspelt !== null) {
    problems.error(name!, misspelt.message, misspelt.advice);
    return null;
  }
  const typeTokens = name === null ? tokens : tokens.slice(0, -1);
  const type = parseType(typeTokens, name ?? first, problems);
  if (type === null) return null;
  return { ...position, type: { ...type, array }, name: name?.text ?? null, attributes, defaultValue };
}

/** "OSAction * action TARGTE": the last word is taken for the name, and the name stands before it. */
function misplacedWord(tokens: readonly Token[], name: Token): { message: string; advice: string } | null {
  const before = tokens.at(-2);
  if (before?.kind !== "word" || cvWords.has(before.text) || builtInWords.has(before.text)) return null;
  if (tokens.length < 3 || !/^[A-Z_]+$/.test(name.text)) return null;
  const meant = meantWord(name.text, parameterWords);
  const words = parameterWords.join(", ");
  return {
    message: `${name.text} is no word that a parameter takes`,
    advice: meant === null ? `they are ${words}` : `did you mean ${meant}?`,
  };
}

/** "void (^name)(int)", "int (*name)(void)": the type stands round the name. */
function roundName(tokens: readonly Token[]): { type: TypeSyntax; name: string | null } | null {
  const open = tokens.findIndex(
    ({ text }, index) => text === "(" && (tokens[index + 1]?.text === "*" || tokens[index + 1]?.text === "^"),
  );
  if (open < 0) return null;
  const close = behindBracket(tokens, open);
  const inner = tokens.slice(open + 1, close - 1);
  const name = inner.findLast(({ kind, text }) => kind === "word" && !isSilentWord(text));
  const inside = inner.filter((token) => token !== name);
  const before = `${textOf(tokens.slice(0, open))} (${inside.map(({ text }) => text).join(" ")}`;
  const behind = `)${textOf(tokens.slice(close))}`;
  return {
    name: name?.text ?? null,
    type: {
      text: `${before}${behind}`,
      base: inner[0]!.text === "^" ? "block" : "function",
      pointers: 0,
      isReference: false,
      isConst: false,
      array: null,
      around: { before, behind },
    },
  };
}

/** The name a parameter ends with; null: "IOService *", "unsigned int", "uint32_t". */
function nameAtEnd(tokens: readonly Token[]): Token | null {
  const last = tokens.at(-1);
  if (last === undefined || last.kind !== "word" || tokens.length < 2) return null;
  if (cvWords.has(last.text) || builtInWords.has(last.text)) return null;
  const before = tokens.at(-2)!;
  if (before.text === "::") return null;
  const isOnlyCv = tokens.slice(0, -1).every(({ text }) => cvWords.has(text));
  return isOnlyCv ? null : last;
}

export function shown(token: Token): string {
  if (token.kind === "end") return "the end of the file";
  return JSON.stringify(token.text.length > 40 ? `${token.text.slice(0, 40)}...` : token.text);
}
