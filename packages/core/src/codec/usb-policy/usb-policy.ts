// Rules about USB devices as text: USBGuard's language (usbguard-rules.conf(5), 1.1), and ours in comments.

import { DecodeError } from "../../base/errors.ts";

/** What a rule does with a device. `reject` takes it off the bus, `block` leaves it there unused. */
export type PolicyTarget = "allow" | "block" | "reject";

export type SetOperator = "equals" | "equals-ordered" | "all-of" | "one-of" | "none-of" | "match-all";

export const attributeNames = [
  "id",
  "hash",
  "parent-hash",
  "name",
  "serial",
  "via-port",
  "with-interface",
  "with-connect-type",
  "label",
] as const;
export type AttributeName = (typeof attributeNames)[number];

export interface AttributeTest {
  readonly name: AttributeName;
  readonly operator: SetOperator;
  /** As written, without quotes: "08:06:50", "1050:0011", "1-2". */
  readonly values: readonly string[];
}

export interface PolicyCondition {
  /** "allowed-matches", "localtime", "random", "rule-applied", "rule-evaluated", "true", "false". */
  readonly name: string;
  /** Between the parentheses, "" for none. */
  readonly argument: string;
  readonly isNegated: boolean;
}

/** Which devices: every test must hold. No test fits every device. */
export interface DeviceSelector {
  readonly tests: readonly AttributeTest[];
  readonly conditions: readonly PolicyCondition[];
  /** How the conditions are joined: one-of, none-of, or all. */
  readonly conditionOperator: SetOperator;
}

export interface PolicyRule extends DeviceSelector {
  readonly target: PolicyTarget;
  /** 1 for the first line of the file. */
  readonly line: number;
}

/**
 * What USBGuard's language cannot say stands in comments of this form, so that the file stays a file for USBGuard:
 * `#: read-only DEVICE`, `#: exempt DEVICE`, `#: no-open "ClientClass" DEVICE`, `#: implicit-target allow`.
 */
export interface PolicyExtension extends DeviceSelector {
  readonly kind: "read-only" | "exempt" | "no-open";
  /** Of no-open: the user client's class. */
  readonly clientClass: string;
  readonly line: number;
}

export interface UsbPolicy {
  readonly rules: readonly PolicyRule[];
  readonly extensions: readonly PolicyExtension[];
  /** For a device that no rule fits: USBGuard's ImplicitPolicyTarget, block unless said otherwise. */
  readonly implicitTarget: PolicyTarget;
}

interface Token {
  readonly kind: "word" | "text" | "open" | "close" | "not";
  readonly value: string;
  readonly at: number;
}

/** Their values stand without quotes. */
const bareAttributes: readonly AttributeName[] = ["id", "with-interface"];
/** HH:MM, with seconds or without, alone or from one to another. */
const timeOrRange = /^(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)?(?:-(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)?)?$/;
const operators: readonly string[] = ["equals", "equals-ordered", "all-of", "one-of", "none-of", "match-all"];
const targets: readonly string[] = ["allow", "block", "reject"];
const noArgument = ["true", "false"];
const conditionNames = [
  "allowed-matches",
  "localtime",
  "random",
  "rule-applied",
  "rule-evaluated",
  ...noArgument,
];

/** Throws DecodeError with the offset of the character that does not fit, and what was expected there. */
export function parsePolicy(text: string): UsbPolicy {
  const rules: PolicyRule[] = [];
  const extensions: PolicyExtension[] = [];
  let implicitTarget: PolicyTarget = "block";
  let at = 0;
  text.split("\n").forEach((raw, index) => {
    const line = index + 1;
    const start = at;
    at += raw.length + 1;
    const ours = /^\s*#:/.exec(raw);
    if (ours !== null) {
      const parser = new LineParser(raw, start, ours[0].length);
      const word = parser.word("read-only, exempt, no-open or implicit-target");
      if (word === "implicit-target") {
        implicitTarget = parser.oneOf(targets) as PolicyTarget;
        parser.end();
      } else if (word === "read-only" || word === "exempt")
        extensions.push({ kind: word, clientClass: "", line, ...parser.selector() });
      else if (word === "no-open")
        extensions.push({
          kind: word,
          clientClass: parser.text("a user client's class in quotes"),
          line,
          ...parser.selector(),
        });
      else throw parser.error(`"${word}" is none of read-only, exempt, no-open, implicit-target`);
      return;
    }
    const parser = new LineParser(raw, start, 0);
    if (parser.isEmpty) return;
    const target = parser.oneOf(targets) as PolicyTarget;
    rules.push({ target, line, ...parser.selector() });
  });
  return { rules, extensions, implicitTarget };
}

class LineParser {
  readonly #tokens: readonly Token[];
  readonly #start: number;
  readonly #length: number;
  #next = 0;

  constructor(line: string, start: number, from: number) {
    this.#start = start;
    this.#length = line.length;
    this.#tokens = tokensOf(line, start, from);
  }

  get isEmpty(): boolean {
    return this.#tokens.length === 0;
  }

  /** At the token that was just taken, or at the end of the line. */
  error(message: string, token = this.#tokens[this.#next - 1]): DecodeError {
    return new DecodeError("USB policy", this.#start + (token?.at ?? this.#length), message);
  }

  word(expected: string): string {
    const token = this.#take();
    if (token?.kind !== "word") throw this.error(`expected ${expected}`, token);
    return token.value;
  }

  oneOf(words: readonly string[]): string {
    const word = this.word(words.join(", "));
    if (!words.includes(word)) throw this.error(`"${word}" is none of ${words.join(", ")}`);
    return word;
  }

  text(expected: string): string {
    const token = this.#take();
    if (token?.kind !== "text") throw this.error(`expected ${expected}`, token);
    return token.value;
  }

  end(): void {
    const token = this.#take();
    if (token !== undefined) throw this.error("expected the end of the line", token);
  }

  /** The rest of the line. */
  selector(): DeviceSelector {
    const tests: AttributeTest[] = [];
    let conditions: PolicyCondition[] = [];
    let conditionOperator: SetOperator = "equals";
    for (let token = this.#take(); token !== undefined; token = this.#take()) {
      if (token.kind !== "word") throw this.error("expected an attribute's name", token);
      const isFirst = tests.length === 0 && conditions.length === 0;
      if (isFirst && /^(?:[0-9a-f]{4}|\*):(?:[0-9a-f]{4}|\*)$/i.test(token.value)) {
        tests.push(this.#checked("id", "equals", [token.value], token));
      } else if (token.value === "if") {
        if (conditions.length > 0) throw this.error("a rule has one if", token);
        [conditions, conditionOperator] = this.#conditions();
      } else {
        const name = attributeNames.find((known) => known === token.value);
        if (name === undefined)
          throw this.error(`"${token.value}" is none of ${attributeNames.join(", ")}, if`, token);
        if (tests.some((test) => test.name === name)) throw this.error(`${name} stands twice`, token);
        const kind = bareAttributes.includes(name) ? "word" : "text";
        const [operator, values] = this.#set((item) => {
          if (item.kind !== kind)
            throw this.error(
              kind === "text" ? `a ${name} stands in quotes` : `a ${name} stands without quotes`,
              item,
            );
          return item.value;
        });
        tests.push(this.#checked(name, operator, values, token));
      }
    }
    return { tests, conditions, conditionOperator };
  }

  /** `value`, `{ a b }` or `one-of { a b }`. */
  #set(read: (token: Token) => string): [SetOperator, string[]] {
    let token = this.#take();
    let operator: SetOperator = "equals";
    if (token?.kind === "word" && operators.includes(token.value)) {
      operator = token.value as SetOperator;
      token = this.#take();
      if (token?.kind !== "open") throw this.error(`expected { after ${operator}`, token);
    }
    if (token === undefined) throw this.error("expected a value or {", token);
    if (token.kind !== "open") return [operator, [read(token)]];
    const values: string[] = [];
    for (let item = this.#take(); item?.kind !== "close"; item = this.#take()) {
      if (item === undefined) throw this.error("expected }", item);
      values.push(read(item));
    }
    if (values.length === 0) throw this.error("expected a value between { and }");
    return [operator, values];
  }

  #conditions(): [PolicyCondition[], SetOperator] {
    const found: PolicyCondition[] = [];
    let operator: SetOperator = "equals";
    const take = (token: Token): void => {
      const isNegated = token.kind === "not";
      const named = isNegated ? this.#take() : token;
      if (named?.kind !== "word") throw this.error("expected a condition", named);
      const match = /^([a-z-]+)(?:\((.*)\))?$/s.exec(named.value);
      if (match === null || !conditionNames.includes(match[1]))
        throw this.error(`"${named.value}" is none of ${conditionNames.join(", ")}`, named);
      if (noArgument.includes(match[1]) && match[2] !== undefined)
        throw this.error(`${match[1]} takes no argument`, named);
      if (match[1] === "localtime" && !timeOrRange.test(match[2] ?? ""))
        throw this.error("localtime takes HH:MM or HH:MM-HH:MM", named);
      const argument = (match[2] ?? "").trim();
      if (match[1] === "random" && !/^(?:\d+(?:\.\d+)?)?$/.test(argument))
        throw this.error("random takes a probability such as 0.5", named);
      if (match[1].startsWith("rule-") && !/^(?:\d+[smhd])?$/.test(argument))
        throw this.error(`${match[1]} takes a time such as 1h`, named);
      if (match[1] === "allowed-matches") this.#checkQuery(match[2], named);
      found.push({ name: match[1], argument: (match[2] ?? "").trim(), isNegated });
    };
    let token = this.#take();
    if (token?.kind === "word" && operators.includes(token.value)) {
      operator = token.value as SetOperator;
      token = this.#take();
      if (token?.kind !== "open") throw this.error(`expected { after ${operator}`, token);
    }
    if (token === undefined) throw this.error("expected a condition after if", token);
    if (token.kind !== "open") {
      take(token);
      return [found, operator];
    }
    for (let item = this.#take(); item?.kind !== "close"; item = this.#take()) {
      if (item === undefined) throw this.error("expected }", item);
      take(item);
    }
    return [found, operator];
  }

  /** What stands in allowed-matches(...) selects devices as a rule does. */
  #checkQuery(text: string | undefined, token: Token): void {
    const at = token.value.indexOf("(") + 1;
    new LineParser(text ?? "", this.#start + token.at + at, 0).selector();
  }

  #checked(
    name: AttributeName,
    operator: SetOperator,
    values: readonly string[],
    token: Token,
  ): AttributeTest {
    for (const value of values) {
      if (name === "with-interface" && !/^[0-9a-f]{2}:(?:[0-9a-f]{2}:(?:[0-9a-f]{2}|\*)|\*:\*)$/i.test(value))
        throw this.error(`"${value}" is no interface type: cc:ss:pp, cc:ss:*, cc:*:*`, token);
      if (name === "id" && !/^(?:[0-9a-f]{4}:(?:[0-9a-f]{4}|\*)|\*:\*)$/i.test(value))
        throw this.error(`"${value}" is no device id: vvvv:pppp, vvvv:*, *:*`, token);
    }
    return { name, operator, values };
  }

  #take(): Token | undefined {
    const token = this.#tokens[this.#next];
    if (token !== undefined) this.#next++;
    return token;
  }
}

/** Up to a comment or the end. A word with parentheses, `localtime(08:00-18:00)`, is one token. */
function tokensOf(line: string, start: number, from: number): Token[] {
  const tokens: Token[] = [];
  const fail = (at: number, message: string): never => {
    throw new DecodeError("USB policy", start + at, message);
  };
  let at = from;
  while (at < line.length) {
    const letter = line[at];
    if (/\s/.test(letter)) at++;
    else if (letter === "#") break;
    else if (letter === "{" && /\S/.test(line[at - 1] ?? " ")) fail(at, "expected a blank before {");
    else if (letter === "{" || letter === "}")
      tokens.push({ kind: letter === "{" ? "open" : "close", value: letter, at: at++ });
    else if (letter === "!") tokens.push({ kind: "not", value: "!", at: at++ });
    else if (letter === '"') {
      const begin = at;
      if (/[^\s{]/.test(line[at - 1] ?? " ")) fail(at, "expected a blank before the quote");
      let value = "";
      for (at++; line[at] !== '"'; at++) {
        if (at >= line.length) fail(begin, "the text has no closing quote");
        if (line[at] === "\\") {
          const escaped =
            /^\\(?:x([2-7][0-9a-fA-F])|(["'\\]))/.exec(line.slice(at)) ??
            fail(at, 'this is no escape: \\", \\\\ or \\x41');
          value +=
            escaped[1] === undefined ? escaped[2] : String.fromCharCode(Number.parseInt(escaped[1], 16));
          at += escaped[0].length - 1;
        } else value += line[at];
      }
      at++;
      tokens.push({ kind: "text", value, at: begin });
    } else {
      const begin = at;
      let depth = 0;
      while (at < line.length && (depth > 0 || !/[\s{}"#]/.test(line[at]))) {
        if (line[at] === "(") depth++;
        else if (line[at] === ")") depth--;
        at++;
      }
      if (depth > 0) fail(begin, "a parenthesis is not closed");
      tokens.push({ kind: "word", value: line.slice(begin, at), at: begin });
    }
  }
  return tokens;
}

/** USBGuard's own order, whatever the file's was. */
const printed: readonly AttributeName[] = [
  "id",
  "serial",
  "name",
  "hash",
  "parent-hash",
  "via-port",
  "with-interface",
  "with-connect-type",
  "label",
];

/** As USBGuard prints it. */
export function formatRule(rule: PolicyRule): string {
  return `${rule.target}${formatSelector(rule)}`;
}

export function formatSelector(selector: DeviceSelector): string {
  const ordered = [...selector.tests].sort(
    (left, right) => printed.indexOf(left.name) - printed.indexOf(right.name),
  );
  const parts = ordered.map(({ name, operator, values }) => {
    const shown = values.map((value) => (bareAttributes.includes(name) ? value : quote(value)));
    const set =
      shown.length === 1 && operator === "equals"
        ? shown[0]
        : `${operator === "equals" ? "" : `${operator} `}{ ${shown.join(" ")} }`;
    return `${name} ${set}`;
  });
  if (selector.conditions.length > 0) {
    const shown = selector.conditions.map(
      ({ name, argument, isNegated }) =>
        `${isNegated ? "!" : ""}${name}${argument === "" ? "" : `(${argument})`}`,
    );
    const operator = selector.conditionOperator === "equals" ? "" : `${selector.conditionOperator} `;
    parts.push(
      shown.length === 1 && operator === "" ? `if ${shown[0]}` : `if ${operator}{ ${shown.join(" ")} }`,
    );
  }
  return parts.map((part) => ` ${part}`).join("");
}

function quote(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}
