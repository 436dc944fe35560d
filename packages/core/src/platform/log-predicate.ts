// The subset of `log` predicates that people type: comparisons, AND, OR, NOT, parentheses.

import type { LogRow } from "./log-row.ts";

type Test = (row: LogRow) => boolean;

/** Fields and their other names. */
const fields: Readonly<Record<string, (row: LogRow) => string>> = {
  eventMessage: (row) => row.message,
  composedMessage: (row) => row.message,
  process: (row) => row.process,
  processImagePath: (row) => row.process,
  sender: (row) => row.sender,
  senderImagePath: (row) => row.sender,
  subsystem: (row) => row.subsystem,
  category: (row) => row.category,
  messageType: (row) => row.level,
  logType: (row) => row.level,
  processID: (row) => String(row.pid),
};

const operators = ["==", "!=", "CONTAINS", "BEGINSWITH", "ENDSWITH", "LIKE"];

/** A predicate that cannot be read: says where and what is allowed. */
export class PredicateError extends Error {
  override readonly name = "PredicateError";
}

/** Throws PredicateError on anything outside the subset. */
export function compileLogPredicate(text: string): Test {
  const tokens = tokenize(text);
  let at = 0;
  const peek = (): string => tokens[at] ?? "";
  const expect = (wanted: string): void => {
    if (peek() !== wanted)
      throw new PredicateError(`expected "${wanted}" but found "${peek() || "the end"}" in: ${text}`);
    at++;
  };
  const word = (): string => peek().toUpperCase();

  const either = (): Test => {
    let left = both();
    while (word() === "OR" || word() === "||") {
      at++;
      const [first, second] = [left, both()];
      left = (row) => first(row) || second(row);
    }
    return left;
  };
  const both = (): Test => {
    let left = unary();
    while (word() === "AND" || word() === "&&") {
      at++;
      const [first, second] = [left, unary()];
      left = (row) => first(row) && second(row);
    }
    return left;
  };
  const unary = (): Test => {
    if (word() === "NOT" || peek() === "!") {
      at++;
      const inner = unary();
      return (row) => !inner(row);
    }
    if (peek() === "(") {
      at++;
      const inner = either();
      expect(")");
      return inner;
    }
    return comparison();
  };
  const comparison = (): Test => {
    const name = peek();
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (field === undefined) {
      throw new PredicateError(
        `unknown field "${name || "(nothing)"}"; there are: ${Object.keys(fields).join(", ")}`,
      );
    }
    at++;
    const [operator, flag] = peek().toUpperCase().split("[");
    if (!operators.includes(operator)) {
      throw new PredicateError(
        `unknown operator "${peek() || "(nothing)"}" after ${name}; there are: ${operators.join(", ")}`,
      );
    }
    at++;
    const literal = peek();
    if (literal === "") throw new PredicateError(`a value is missing after ${name} ${operator}`);
    at++;
    const folds = flag?.startsWith("C") ?? false;
    const wanted = fold(unquote(literal), folds);
    return (row) => compare(fold(field(row), folds), operator, wanted);
  };

  const test = either();
  if (at < tokens.length) throw new PredicateError(`unexpected "${peek()}" in: ${text}`);
  return test;
}

function compare(value: string, operator: string, wanted: string): boolean {
  switch (operator) {
    case "==":
      return value === wanted;
    case "!=":
      return value !== wanted;
    case "CONTAINS":
      return value.includes(wanted);
    case "BEGINSWITH":
      return value.startsWith(wanted);
    case "ENDSWITH":
      return value.endsWith(wanted);
    default:
      return like(value, wanted);
  }
}

/** `*` any run, `?` any character; linear in the length of both. */
function like(value: string, pattern: string): boolean {
  let at = 0;
  let inPattern = 0;
  let star = -1;
  let mark = 0;
  while (at < value.length) {
    if (pattern[inPattern] === "*") {
      star = inPattern++;
      mark = at;
    } else if (pattern[inPattern] === "?" || pattern[inPattern] === value[at]) {
      at++;
      inPattern++;
    } else if (star >= 0) {
      inPattern = star + 1;
      at = ++mark;
    } else return false;
  }
  while (pattern[inPattern] === "*") inPattern++;
  return inPattern === pattern.length;
}

function fold(text: string, folds: boolean): string {
  return folds ? text.toLowerCase() : text;
}

function unquote(token: string): string {
  return /^["'].*["']$/s.test(token) ? token.slice(1, -1) : token;
}

function tokenize(text: string): string[] {
  return text.match(/"[^"]*"|'[^']*'|\(|\)|==|!=|&&|\|\||!|[A-Za-z]+\[[a-zA-Z]*\]|[^\s()=!"']+|\S/g) ?? [];
}
