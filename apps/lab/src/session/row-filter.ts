// The filter of the trace: words, field:value, field>n, and, or, not, parentheses; a bad one says where.

import type { RowCells } from "./messages.ts";

export type RowTest = (cells: RowCells) => boolean;

/** Names that may stand before `:`, `=`, `<` or `>`; Wireshark's where it has one. */
const fields: Readonly<Record<string, (cells: RowCells) => string | number>> = {
  no: ({ sequence }) => sequence,
  "frame.number": ({ sequence }) => sequence,
  time: ({ timeNs }) => timeNs / 1e9,
  "frame.time_relative": ({ timeNs }) => timeNs / 1e9,
  delta: ({ deltaNs }) => deltaNs / 1e9,
  kind: ({ kind }) => kind,
  who: ({ who }) => who,
  what: ({ what }) => what,
  ep: ({ place }) => endpointOf(place),
  "usb.endpoint_address": ({ place }) => endpointOf(place),
  device: ({ place }) => Number(place.split(".")[0] || -1),
  "usb.device_address": ({ place }) => Number(place.split(".")[0] || -1),
  length: ({ length }) => length ?? -1,
  "usb.data_len": ({ length }) => length ?? -1,
  status: ({ status }) => status,
};

export const filterFields: readonly string[] = Object.keys(fields);

const endpointOf = (place: string): number => {
  const [, endpoint] = place.split(".");
  return endpoint === undefined ? -1 : Number.parseInt(endpoint, 16);
};

/** Where in the text it stops being a filter, and why. */
export class FilterError extends Error {
  readonly at: number;

  constructor(message: string, at: number) {
    super(`${message}, at character ${at + 1}`);
    this.name = "FilterError";
    this.at = at;
  }
}

interface Token {
  readonly text: string;
  readonly at: number;
}

const longest = 400;
const deepest = 20;
const tokenForm = /\s*(\(|\)|"[^"]*"|[^\s()"]+(?:"[^"]*")?)/y;

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  tokenForm.lastIndex = 0;
  while (tokenForm.lastIndex < text.trimEnd().length) {
    const begun = tokenForm.lastIndex;
    const found = tokenForm.exec(text);
    if (found === null) throw new FilterError("a quotation mark has no partner", begun);
    tokens.push({ text: found[1], at: tokenForm.lastIndex - found[1].length });
  }
  return tokens;
}

/** Empty text: null, everything is shown. Throws FilterError. */
export function parseFilter(text: string): RowTest | null {
  if (text.length > longest) throw new FilterError(`a filter has at most ${longest} characters`, longest);
  const tokens = tokensOf(text);
  if (tokens.length === 0) return null;
  let next = 0;
  const peek = (): string | undefined => tokens[next]?.text.toLowerCase();
  const where = (): number => tokens[next]?.at ?? text.length;

  const either = (depth: number): RowTest => {
    let left = both(depth);
    while (peek() === "or" || peek() === "||") {
      next++;
      const [before, after] = [left, both(depth)];
      left = (cells) => before(cells) || after(cells);
    }
    return left;
  };
  const both = (depth: number): RowTest => {
    let left = one(depth);
    for (
      let word = peek();
      word !== undefined && word !== ")" && word !== "or" && word !== "||";
      word = peek()
    ) {
      if (word === "and" || word === "&&") next++;
      const [before, after] = [left, one(depth)];
      left = (cells) => before(cells) && after(cells);
    }
    return left;
  };
  const one = (depth: number): RowTest => {
    if (depth > deepest) throw new FilterError("too many parentheses", where());
    const word = peek();
    if (word === undefined) throw new FilterError("something is missing", text.length);
    if (word === "not" || word === "!") {
      next++;
      const inner = one(depth + 1);
      return (cells) => !inner(cells);
    }
    if (word === "(") {
      next++;
      const inner = either(depth + 1);
      if (peek() !== ")") throw new FilterError('a ")" is missing', where());
      next++;
      return inner;
    }
    if (word === ")" || word === "and" || word === "or" || word === "&&" || word === "||")
      throw new FilterError(`"${word}" stands alone`, where());
    return comparison(tokens[next++]);
  };
  const test = either(0);
  if (next < tokens.length) throw new FilterError('a ")" too many', where());
  return test;
}

function comparison({ text, at }: Token): RowTest {
  const found = /^([a-z][a-z._]*)(==|!=|>=|<=|[:=<>])(.*)$/is.exec(text);
  if (found === null) {
    const word = text.replace(/^"|"$/g, "").toLowerCase();
    return ({ kind, status, what, who }) =>
      what.toLowerCase().includes(word) ||
      who.toLowerCase().includes(word) ||
      status.toLowerCase().includes(word) ||
      kind === word;
  }
  const [, name, operator, raw] = found;
  const field = Object.hasOwn(fields, name.toLowerCase()) ? fields[name.toLowerCase()] : undefined;
  if (field === undefined)
    throw new FilterError(`there is no field "${name}"; there are ${filterFields.join(", ")}`, at);
  const value = raw.replace(/^"|"$/g, "").toLowerCase();
  if (value === "")
    throw new FilterError(`nothing stands behind ${name}${operator}`, at + name.length + operator.length);
  const number = Number(value);
  switch (operator) {
    case ":":
      return (cells) => {
        const found = field(cells);
        return typeof found === "number" ? found === number : found.toLowerCase().includes(value);
      };
    case "=":
    case "==":
      return (cells) => isEqual(field(cells), value, number);
    case "!=":
      return (cells) => !isEqual(field(cells), value, number);
    default: {
      if (Number.isNaN(number))
        throw new FilterError(`"${value}" is no number`, at + name.length + operator.length);
      const compare: (left: number) => boolean =
        operator === ">"
          ? (left) => left > number
          : operator === "<"
            ? (left) => left < number
            : operator === ">="
              ? (left) => left >= number
              : (left) => left <= number;
      return (cells) => {
        const left = field(cells);
        return typeof left === "number" && compare(left);
      };
    }
  }
}

const isEqual = (left: string | number, text: string, number: number): boolean =>
  typeof left === "number" ? left === number : left.toLowerCase() === text;
